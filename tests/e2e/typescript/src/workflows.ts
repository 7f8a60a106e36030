import { condition, defineQuery, defineSignal, proxyActivities, setHandler, sleep } from '@temporalio/workflow';
import type * as activities from './activities';

/** Carries the name of who approves the order. */
export const approve = defineSignal<[string]>('approve');
/** Where the order stands. */
export const status = defineQuery<string>('status');

const { reserve, ship } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 s' });

/** Reserves, waits a moment, waits for the approval, and ships. */
export async function order(orderId: string): Promise<string[]> {
  let stage = 'new';
  let approver: string | undefined;
  setHandler(status, () => stage);
  setHandler(approve, (name) => {
    approver = name;
  });

  const reserved = await reserve(orderId);
  await sleep('100 ms');
  stage = 'waiting for approval';
  await condition(() => approver !== undefined);
  const shipped = await ship(orderId, approver!);
  stage = 'shipped';
  return [reserved, shipped];
}
