import { float } from '../types.ts';
import { type FunctionDefinition, plain } from './define.ts';

/** Mean radius of the Earth (IUGG, R1), km. */
const earthRadiusKm = 6371.0088;

/**
 * Great-circle distance in km between two points in degrees, by the haversine formula (R. W. Sinnott, "Virtues of the
 * Haversine", Sky and Telescope 68(2), 1984). Within 0.5 % of the distance on the ellipsoid. Null for a place that is none.
 */
export function distanceKm(lat1: number, lon1: number, lat2: number, lon2: number): number | null {
  if (!isPlace(lat1, lon1) || !isPlace(lat2, lon2)) return null;
  const radians = Math.PI / 180;
  const halfLat = Math.sin(((lat2 - lat1) * radians) / 2);
  const halfLon = Math.sin(((lon2 - lon1) * radians) / 2);
  const haversine = halfLat * halfLat + Math.cos(lat1 * radians) * Math.cos(lat2 * radians) * halfLon * halfLon;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

function isPlace(lat: number, lon: number): boolean {
  return lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180;
}

export const geoFunctions: readonly FunctionDefinition[] = [
  plain({
    signature: 'geo_distance_km(lat1, lon1, lat2, lon2)',
    parameters: ['number', 'number', 'number', 'number'],
    result: float,
    nullable: true,
    apply: distanceKm,
  }),
];
