/** The lines below the points: a GeoJSON that lies with the boards, asked for once. */
import type { GeoJson } from '../../view/map.ts';

const asked = new Map<string, Promise<GeoJson | undefined>>();

/** `public/maps/NAME.geojson` of Grafana is `NAME.geojson` of the boards. Resolves with undefined where there is none. */
export function baseMap(source: string | undefined): Promise<GeoJson | undefined> {
  const name = /([\w-]+\.geojson)$/.exec(source ?? '')?.[1];
  if (!name) return Promise.resolve(undefined);
  const before = asked.get(name);
  if (before) return before;
  const answer = fetch(`/api/maps/${name}`).then(
    async (response) => (response.ok ? ((await response.json()) as GeoJson) : undefined),
    () => undefined,
  );
  asked.set(name, answer);
  return answer;
}
