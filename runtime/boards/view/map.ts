/** A map without tiles: points on the plane, a net of latitudes and longitudes, and lines of a GeoJSON if there is one. */

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

export interface Projection {
  readonly width: number;
  readonly height: number;
  at(place: Place): { x: number; y: number };
  /** Kilometres of a unit of the plane. */
  readonly kmPerUnit: number;
  readonly south: number;
  readonly north: number;
  readonly west: number;
  readonly east: number;
}

const radians = Math.PI / 180;
const kmPerDegree = 111.32;

/** All places, with room around; within a city a degree is the same everywhere (equirectangular). */
export function fitPlaces(places: readonly Place[], { width, height }: { width: number; height: number }): Projection {
  const latitudes = places.map(({ latitude }) => latitude);
  const longitudes = places.map(({ longitude }) => longitude);
  const middle = { latitude: middleOf(latitudes), longitude: middleOf(longitudes) };
  const narrow = Math.cos(middle.latitude * radians);
  const spanX = Math.max(0.02, Math.max(...longitudes) - Math.min(...longitudes)) * narrow;
  const spanY = Math.max(0.02, Math.max(...latitudes) - Math.min(...latitudes));
  // Names stand beside the points and need room as well.
  const scale = Math.min((width * 0.74) / spanX, (height * 0.78) / spanY);
  const half = { x: width / 2 / scale / narrow, y: height / 2 / scale };
  return {
    width,
    height,
    at: ({ latitude, longitude }) => ({
      x: width / 2 + (longitude - middle.longitude) * narrow * scale,
      y: height / 2 - (latitude - middle.latitude) * scale,
    }),
    kmPerUnit: kmPerDegree / scale,
    south: middle.latitude - half.y,
    north: middle.latitude + half.y,
    west: middle.longitude - half.x,
    east: middle.longitude + half.x,
  };
}

const middleOf = (values: readonly number[]) => (Math.min(...values) + Math.max(...values)) / 2;

/** Multiples of a round step between two values: about `count` of them. */
export function roundSteps(low: number, high: number, count: number): number[] {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((one) => one * power >= raw) ?? 10) * power;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) =>
    Number(((first + index) * step).toFixed(8)),
  );
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const meet = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

/** Outline of a sign of a given half size around a point, the same signs as `shapes` of the palette. */
export function signPath(step: number, size: number): string {
  switch (step) {
    case 0:
      return `M${-size},0a${size},${size} 0 1,0 ${2 * size},0a${size},${size} 0 1,0 ${-2 * size},0Z`;
    case 1:
      return `M0,${-size * 1.15}L${size * 1.1},${size * 0.85}L${-size * 1.1},${size * 0.85}Z`;
    case 2:
      return `M0,${-size * 1.25}L${size * 1.25},0L0,${size * 1.25}L${-size * 1.25},0Z`;
    case 3:
      return `M${-size},${-size}H${size}V${size}H${-size}Z`;
    default: {
      const thin = size * 0.45;
      return `M${-size},${-thin}H${-thin}V${-size}H${thin}V${-thin}H${size}V${thin}H${thin}V${size}H${-thin}V${thin}H${-size}Z`;
    }
  }
}

interface Geometry {
  readonly type: string;
  readonly coordinates: unknown;
}

export interface GeoJson {
  readonly features: readonly {
    readonly geometry: Geometry;
    readonly properties?: Readonly<Record<string, unknown>> | null;
  }[];
}

/** Every line of a GeoJSON as a path of the plane. */
export function outlinePath({ coordinates }: Geometry, projection: Projection): string {
  const lines: string[] = [];
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (Array.isArray(part[0]) && typeof part[0][0] === 'number') {
      const points = (part as number[][]).map(([longitude = 0, latitude = 0]) => {
        const { x, y } = projection.at({ latitude, longitude });
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      });
      lines.push(`M${points.join('L')}`);
      return;
    }
    for (const inner of part) walk(inner);
  };
  walk(coordinates);
  return lines.join('');
}
