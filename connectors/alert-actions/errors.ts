/** Errors of `alert-actions`: 27xx. */
import { defineErrors } from '../../runtime/stream/index.ts';

export const alertActionErrors = defineErrors({
  MACH2601: {
    message: 'alert-actions cannot listen on {address}: {reason}',
    help: 'Another process holds the port, or the host is not one of this machine. Choose another `listen`, or stop the other process (`ss -ltnp`).',
  },
  MACH2602: {
    message: 'not an action: {reason}',
    help: 'An action is a JSON object: `action` (acknowledge, assign or note), `by` (who does it), `alert_id` or what the alert is about, `to` of an assignment, `note`. Nothing was stored; send it again when it is right.',
  },
});
