import { defineErrors } from '../../runtime/stream/index.ts';

export const grafanaErrors = defineErrors({
  MACH2601: {
    message: 'not a notification of Grafana: {reason}',
    help: 'The contact point must be of the type webhook with its own payload, not a custom one. What came was kept as a dead letter; the dead letters show it.',
  },
  MACH2602: {
    message: 'the notification has more than {max} bytes (bodyBytesMax)',
    help: 'Group alerts more finely (group_by of the notification policy), or set maxAlerts of the contact point.',
  },
  MACH2603: {
    message: 'cannot listen on {address}: {reason}',
    help: 'Another process may have the port, or the address is not of this machine. Choose another with `listen`.',
  },
});
