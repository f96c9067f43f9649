/** An earlier version of a topology, bound with the catalogue and the values of today. */
import type { Catalogue } from '../../stream/definition.ts';
import { type BindOptions, bindTopology } from '../../topology/bind.ts';
import { noPlaces } from '../../topology/places.ts';
import type { Rebind } from './finish-version.ts';

export function rebindVersion(args: { catalogue: Catalogue } & Pick<BindOptions, 'env' | 'readFile'>): Rebind {
  return ({ ir, manifest }) => {
    const { topology, diagnostics } = bindTopology(ir, { ...args, places: noPlaces(manifest.file) });
    if (topology) return { topology };
    return { problem: diagnostics.map(({ code, message }) => `${code} ${message}`).join('; ') };
  };
}
