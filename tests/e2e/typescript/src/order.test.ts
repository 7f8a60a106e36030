import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import * as activities from './activities';
import { approve, order, status } from './workflows';

const TASK_QUEUE = 'typescript-orders';
const WORKFLOWS_PATH = require.resolve('./workflows');

/** The server: ABIDE_BIN, else the newest build of the repository. */
function binary(): string {
  if (process.env.ABIDE_BIN) return process.env.ABIDE_BIN;
  const target = path.resolve(__dirname, '..', '..', '..', '..', 'target');
  const built = ['debug', 'release'].map((profile) => path.join(target, profile, 'abide')).filter(existsSync);
  built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (built.length === 0) throw new Error('no abide binary: build it, or name one in ABIDE_BIN');
  return built[0];
}

async function waitForStatus(handle: WorkflowHandle, wanted: string): Promise<void> {
  while ((await handle.query(status)) !== wanted) await pause(20);
}

let env: TestWorkflowEnvironment;

before(async () => {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  env = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path: binary() } },
  });
});

after(async () => {
  await env.teardown();
});

async function withWorker<T>(run: () => Promise<T>): Promise<T> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: WORKFLOWS_PATH,
    activities,
  });
  return worker.runUntil(run);
}

test('two activities, a timer, a signal and a query', { timeout: 60_000 }, async () => {
  await withWorker(async () => {
    const handle = await env.client.workflow.start(order, {
      workflowId: 'order-1',
      taskQueue: TASK_QUEUE,
      args: ['o1'],
    });
    await waitForStatus(handle, 'waiting for approval');
    await handle.signal(approve, 'Ann');
    assert.deepEqual(await handle.result(), ['reserved o1', 'shipped o1 for Ann']);
    assert.equal(await handle.query(status), 'shipped');

    const { events } = await handle.fetchHistory();
    assert.deepEqual(
      events!.map((event) => Number(event.eventId)),
      events!.map((_, index) => index + 1),
    );
    assert.equal(events!.filter((event) => event.activityTaskCompletedEventAttributes).length, 2);
    assert.equal(events!.filter((event) => event.timerFiredEventAttributes).length, 1);
    assert.equal(events!.filter((event) => event.workflowExecutionSignaledEventAttributes).length, 1);
    assert.equal(events!.filter((event) => event.workflowExecutionCompletedEventAttributes).length, 1);
  });
});

test('the history replays', { timeout: 60_000 }, async () => {
  const handle = await withWorker(async () => {
    const started = await env.client.workflow.signalWithStart(order, {
      workflowId: 'order-2',
      taskQueue: TASK_QUEUE,
      args: ['o2'],
      signal: approve,
      signalArgs: ['Bob'],
    });
    await started.result();
    return started;
  });
  await Worker.runReplayHistory({ workflowsPath: WORKFLOWS_PATH }, await handle.fetchHistory(), 'order-2');
});
