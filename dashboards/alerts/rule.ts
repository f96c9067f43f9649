/** An alert rule of Grafana as plain data: a query of one number (or one for each combination of its text columns), and the bound above which it fires. */
import type { Text } from '../kit/text.ts';

export interface AlertRule {
  readonly uid: string;
  readonly title: Text;
  /** May have `{{ .Labels.NAME }}`; no `$`, which provisioning would take for the environment. */
  readonly summary: Text;
  /** What to do, or where to look. */
  readonly action: Text;
  /** No variables and no `$__conditionalAll`: nobody chooses anything when it runs. */
  readonly sql: string;
  readonly lookBackMinutes: number;
  readonly above: number;
  readonly forMinutes: number;
  /** `Alerting` where no answer is itself the thing to fear. */
  readonly noData: 'OK' | 'Alerting';
  readonly severity: 'warning' | 'critical';
  /** The board to look at. */
  readonly board: string;
}
