import type { EventKind } from './schema.ts';

/** Trigger events of ADT (chapter 3) and what they mean. A04 and A11 depend on the patient class besides. */
const kinds: Readonly<Record<string, EventKind>> = {
  A01: 'admission',
  A02: 'transfer',
  A03: 'discharge',
  A04: 'registration',
  A05: 'pre-admission',
  A06: 'class-change',
  A07: 'class-change',
  A08: 'update',
  A09: 'departing',
  A10: 'arriving',
  A11: 'cancel-admission',
  A12: 'cancel-transfer',
  A13: 'cancel-discharge',
  A14: 'pending-admission',
  A15: 'pending-transfer',
  A16: 'pending-discharge',
  A17: 'transfer',
  A18: 'merge',
  A21: 'leave',
  A22: 'return',
  A23: 'delete-visit',
  A24: 'link',
  A25: 'cancel-pending-discharge',
  A26: 'cancel-pending-transfer',
  A27: 'cancel-pending-admission',
  A28: 'patient-update',
  A29: 'delete-patient',
  A30: 'merge',
  A31: 'patient-update',
  A32: 'cancel-arriving',
  A33: 'cancel-departing',
  A34: 'merge',
  A35: 'merge',
  A36: 'merge',
  A37: 'unlink',
  A38: 'cancel-pre-admission',
  A39: 'merge',
  A40: 'merge',
  A41: 'merge',
  A42: 'merge',
  A43: 'move',
  A44: 'move',
  A45: 'move',
  A46: 'change-identifier',
  A47: 'change-identifier',
  A48: 'change-identifier',
  A49: 'change-identifier',
  A50: 'change-identifier',
  A51: 'change-identifier',
  A52: 'cancel-leave',
  A53: 'cancel-return',
  A54: 'update',
  A55: 'update',
};

/** `emergency`: the patient class is E. */
export function kindOf({ type, trigger, emergency }: { type: string; trigger: string; emergency: boolean }): EventKind {
  if (type !== 'ADT') return 'other';
  if (emergency && trigger === 'A04') return 'arrival';
  if (emergency && trigger === 'A11') return 'cancel-arrival';
  return kinds[trigger] ?? 'other';
}
