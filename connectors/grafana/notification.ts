/** What Grafana's contact point `webhook` posts: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/ */
import { z } from 'zod';
import { type AppendRequest, defineSchema, type EventOf, field } from '../../runtime/stream/index.ts';

export const alertSchema = defineSchema({
  fingerprint: field.string({ description: 'identity of the rule and its labels' }),
  rule: field.string({ repeated: true, description: 'name of the rule (label alertname)' }),
  status: field.string({ values: ['firing', 'resolved'], repeated: true }),
  severity: field.string({ nullable: true, repeated: true, description: 'label severity' }),
  hospital: field.string({ nullable: true, repeated: true, description: 'label hospital' }),
  labels: field.json({ description: 'all labels' }),
  summary: field.string({ nullable: true, description: 'annotation summary' }),
  action: field.string({ nullable: true, description: 'annotation action' }),
  started_at: field.timestamp({ description: 'when it began to fire' }),
  ended_at: field.timestamp({ nullable: true, description: 'when it was resolved' }),
  url: field.string({ nullable: true, description: 'of the board that the rule names' }),
});

type AlertEvent = EventOf<typeof alertSchema>;

const texts = z.record(z.string(), z.string());
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const alert = z.looseObject({
  status: z.enum(['firing', 'resolved']),
  labels: texts,
  annotations: texts.default({}),
  startsAt: instant,
  /** The year 1 while it fires. */
  endsAt: instant,
  fingerprint: z.string().min(1).max(128),
  dashboardURL: z.string().optional(),
});
const notification = z.looseObject({ alerts: z.array(alert).min(1).max(10_000) });

/** Events of a notification, and the time of each. Throws what zod says when it is none. */
export function readNotification(body: string): Pick<AppendRequest, 'events'> {
  const { alerts } = notification.parse(JSON.parse(body));
  const events = alerts.map((one) => {
    const ended = one.status === 'resolved' ? one.endsAt : null;
    const event: AlertEvent = {
      fingerprint: one.fingerprint,
      rule: one.labels.alertname ?? '',
      status: one.status,
      severity: one.labels.severity ?? null,
      hospital: one.labels.hospital ?? null,
      labels: one.labels,
      summary: one.annotations.summary ?? null,
      action: one.annotations.action ?? null,
      started_at: one.startsAt,
      ended_at: ended,
      url: one.dashboardURL || null,
    };
    return { event, time: ended ?? one.startsAt };
  });
  return { events };
}
