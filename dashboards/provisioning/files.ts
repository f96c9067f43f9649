/** The files of Grafana's provisioning: data source, folders of boards, alert rules, where alerts go. */
import { stringify } from 'yaml';
import type { AlertRule } from '../alerts/rule.ts';
import { rules } from '../alerts/rules.ts';
import { boardUid } from '../kit/look.ts';
import { clickHouseQuery, datasourceType, datasourceUid } from '../kit/query.ts';

const folders = { vi: 'Trung tâm điều hành y tế', en: 'Health operations centre' } as const;
const expressions = { type: '__expr__', uid: '__expr__' } as const;
const contactPoint = 'Trực ban';

const datasources = {
  apiVersion: 1,
  prune: true,
  datasources: [
    {
      name: 'Mạch',
      uid: datasourceUid,
      type: datasourceType,
      access: 'proxy',
      isDefault: true,
      editable: false,
      jsonData: {
        host: '$CLICKHOUSE_HOST',
        port: '$CLICKHOUSE_PORT',
        protocol: 'http',
        secure: '$CLICKHOUSE_SECURE',
        username: '$CLICKHOUSE_READER',
        defaultDatabase: '$CLICKHOUSE_DATABASE',
        dialTimeout: '5',
        queryTimeout: '30',
      },
      secureJsonData: { password: '$CLICKHOUSE_READER_PASSWORD' },
    },
  ],
};

const dashboards = {
  apiVersion: 1,
  providers: Object.entries(folders).map(([language, folder]) => ({
    name: `mach-${language}`,
    orgId: 1,
    folder,
    folderUid: `mach-${language}`,
    type: 'file',
    disableDeletion: true,
    allowUiUpdates: false,
    updateIntervalSeconds: 30,
    options: { path: `/etc/mach/boards/${language}` },
  })),
};

/** Query, the newest value of each of its series, the bound. */
function ruleData(rule: AlertRule): readonly object[] {
  const relativeTimeRange = { from: rule.lookBackMinutes * 60, to: 0 };
  const query = clickHouseQuery(rule.sql, 'table', { type: datasourceType, uid: datasourceUid });
  return [
    { refId: 'A', relativeTimeRange, datasourceUid, model: query },
    {
      refId: 'B',
      relativeTimeRange,
      datasourceUid: expressions.uid,
      model: { refId: 'B', type: 'reduce', datasource: expressions, expression: 'A', reducer: 'last' },
    },
    {
      refId: 'C',
      relativeTimeRange,
      datasourceUid: expressions.uid,
      model: {
        refId: 'C',
        type: 'threshold',
        datasource: expressions,
        expression: 'B',
        conditions: [{ evaluator: { type: 'gt', params: [rule.above] } }],
      },
    },
  ];
}

const ruleGroups = {
  apiVersion: 1,
  groups: [
    {
      orgId: 1,
      name: 'mach',
      folder: folders.vi,
      interval: '30s',
      rules: rules.map((rule) => ({
        uid: rule.uid,
        title: rule.title.vi,
        condition: 'C',
        data: ruleData(rule),
        dashboardUid: boardUid(rule.board, 'vi'),
        noDataState: rule.noData,
        // A store that does not answer is something to wake people for.
        execErrState: 'Error',
        for: `${rule.forMinutes}m`,
        annotations: {
          summary: rule.summary.vi,
          summary_en: rule.summary.en,
          action: rule.action.vi,
          action_en: rule.action.en,
        },
        labels: { system: 'mach', severity: rule.severity },
        isPaused: false,
      })),
    },
  ],
};

const contactPoints = {
  apiVersion: 1,
  contactPoints: [
    {
      orgId: 1,
      name: contactPoint,
      receivers: [
        {
          uid: 'mach-engine-webhook',
          type: 'webhook',
          disableResolveMessage: false,
          settings: {
            url: '$MACH_ALERTS_URL',
            httpMethod: 'POST',
            authorization_scheme: 'Bearer',
            authorization_credentials: '$MACH_ALERTS_TOKEN',
            maxAlerts: '0',
          },
        },
        {
          uid: 'mach-duty-email',
          type: 'email',
          disableResolveMessage: false,
          settings: { addresses: '$MACH_DUTY_EMAIL', singleEmail: true },
        },
      ],
    },
  ],
};

const policies = {
  apiVersion: 1,
  policies: [
    {
      orgId: 1,
      receiver: contactPoint,
      group_by: ['grafana_folder', 'alertname'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: '4h',
    },
  ],
};

export const provisioning = {
  'datasources/mach.yaml': datasources,
  'dashboards/mach.yaml': dashboards,
  'alerting/rules.yaml': ruleGroups,
  'alerting/contact-points.yaml': contactPoints,
  'alerting/policies.yaml': policies,
} as const;

const header = '# Made by npm run boards; not changed by hand.\n';

/** Texts by their paths below `provisioning`. */
export function provisioningFiles(): ReadonlyMap<string, string> {
  const files = Object.entries(provisioning);
  return new Map(
    files.map(([name, value]) => [name, header + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })]),
  );
}
