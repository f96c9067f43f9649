/** Holds generated dashboards against Grafana's own types. */
import { Ajv } from 'ajv';
import { readSchema } from '../schema/make.ts';

/** A checker of one value: a line for each thing that is wrong. */
export function dashboardValidator(): (dashboard: unknown) => string[] {
  const ajv = new Ajv({ strict: false, allErrors: true, discriminator: false });
  const validate = ajv.compile(readSchema());
  return (dashboard) => {
    if (validate(dashboard)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
  };
}
