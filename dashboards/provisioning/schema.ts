/**
 * What Grafana's file provisioning takes, written down from its own reading code (pkg/services/provisioning): keys that it does not know it passes over in silence, so
 * that here they are errors. From these forms JSON Schema is made for who edits such files by hand.
 */
import { z } from 'zod';

const apiVersion = z.literal(1);
const uid = z.string().regex(/^[\w-]{1,40}$/);
const variable = z.string().regex(/^\$[A-Z_]+$/, 'comes from the environment');
const duration = z.string().regex(/^\d+[smhd]$/);
/** `$` would be taken for the environment. */
const literal = z
  .string()
  .min(1)
  .regex(/^[^$]*$/);

const datasources = z.strictObject({
  apiVersion,
  prune: z.boolean(),
  datasources: z.array(
    z.strictObject({
      name: literal,
      uid,
      type: z.literal('grafana-clickhouse-datasource'),
      access: z.literal('proxy'),
      isDefault: z.boolean(),
      editable: z.literal(false),
      // Names as the plugin reads them (pkg/plugin/settings.go).
      jsonData: z.strictObject({
        host: variable,
        port: variable,
        protocol: z.enum(['http', 'native']),
        secure: variable,
        username: variable,
        defaultDatabase: variable,
        dialTimeout: z.string().regex(/^\d+$/),
        queryTimeout: z.string().regex(/^\d+$/),
      }),
      secureJsonData: z.strictObject({ password: variable }),
    }),
  ),
});

const dashboards = z.strictObject({
  apiVersion,
  providers: z.array(
    z.strictObject({
      name: uid,
      orgId: z.int(),
      folder: literal,
      folderUid: uid,
      type: z.literal('file'),
      disableDeletion: z.boolean(),
      allowUiUpdates: z.literal(false),
      updateIntervalSeconds: z.int().min(10),
      options: z.strictObject({ path: z.string().startsWith('/') }),
    }),
  ),
});

const expression = z.strictObject({ type: z.literal('__expr__'), uid: z.literal('__expr__') });
const relativeTimeRange = z.strictObject({ from: z.int().positive(), to: z.literal(0) });

const ruleData = z.tuple([
  z.strictObject({
    refId: z.literal('A'),
    relativeTimeRange,
    datasourceUid: uid,
    model: z.strictObject({
      refId: z.literal('A'),
      datasource: z.strictObject({ type: z.string(), uid }),
      editorType: z.literal('sql'),
      rawSql: z.string().regex(/^(?![\s\S]*\$__conditionalAll)[\s\S]+$/, 'is expanded in the browser only'),
      format: z.literal(1),
      queryType: z.literal('table'),
      pluginVersion: z.string(),
    }),
  }),
  z.strictObject({
    refId: z.literal('B'),
    relativeTimeRange,
    datasourceUid: z.literal('__expr__'),
    model: z.strictObject({
      refId: z.literal('B'),
      type: z.literal('reduce'),
      datasource: expression,
      expression: z.literal('A'),
      reducer: z.enum(['last', 'max', 'min', 'mean', 'sum', 'count']),
    }),
  }),
  z.strictObject({
    refId: z.literal('C'),
    relativeTimeRange,
    datasourceUid: z.literal('__expr__'),
    model: z.strictObject({
      refId: z.literal('C'),
      type: z.literal('threshold'),
      datasource: expression,
      expression: z.literal('B'),
      conditions: z.tuple([
        z.strictObject({ evaluator: z.strictObject({ type: z.enum(['gt', 'lt']), params: z.tuple([z.number()]) }) }),
      ]),
    }),
  }),
]);

const rules = z.strictObject({
  apiVersion,
  groups: z.array(
    z.strictObject({
      orgId: z.int(),
      name: literal,
      folder: literal,
      interval: duration,
      rules: z.array(
        z.strictObject({
          uid,
          title: literal.max(190),
          condition: z.literal('C'),
          data: ruleData,
          dashboardUid: uid,
          noDataState: z.enum(['Alerting', 'NoData', 'OK', 'KeepLast']),
          execErrState: z.enum(['Alerting', 'Error', 'OK', 'KeepLast']),
          for: duration,
          annotations: z.record(z.string().regex(/^[a-zA-Z_]\w*$/), literal),
          labels: z.record(z.string().regex(/^[a-zA-Z_]\w*$/), literal),
          isPaused: z.literal(false),
        }),
      ),
    }),
  ),
});

const webhook = z.strictObject({
  uid,
  type: z.literal('webhook'),
  disableResolveMessage: z.literal(false),
  settings: z.strictObject({
    url: variable,
    httpMethod: z.enum(['POST', 'PUT']),
    authorization_scheme: z.string(),
    authorization_credentials: variable,
    maxAlerts: z.string().regex(/^\d+$/),
  }),
});
const email = z.strictObject({
  uid,
  type: z.literal('email'),
  disableResolveMessage: z.literal(false),
  settings: z.strictObject({ addresses: variable, singleEmail: z.boolean() }),
});

const contactPoints = z.strictObject({
  apiVersion,
  contactPoints: z.array(
    z.strictObject({
      orgId: z.int(),
      name: literal,
      receivers: z.array(z.discriminatedUnion('type', [webhook, email])).min(1),
    }),
  ),
});

const policies = z.strictObject({
  apiVersion,
  policies: z.array(
    z.strictObject({
      orgId: z.int(),
      receiver: literal,
      group_by: z.array(literal),
      group_wait: duration,
      group_interval: duration,
      repeat_interval: duration,
    }),
  ),
});

/** By the paths of the files below `provisioning`. */
export const provisioningForms: Readonly<Record<string, z.ZodType>> = {
  'datasources/mach.yaml': datasources,
  'dashboards/mach.yaml': dashboards,
  'alerting/rules.yaml': rules,
  'alerting/contact-points.yaml': contactPoints,
  'alerting/policies.yaml': policies,
};
