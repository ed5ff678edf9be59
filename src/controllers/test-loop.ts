import { afterEach } from 'vitest';
import { type Controller, ControllerLoop, type ControllerOptions } from '../runtime/controller.ts';
import { silentLog } from '../runtime/log.ts';
import { type ManualClock, settle } from '../runtime/manual-clock.ts';
import { noMetrics } from '../runtime/metrics.ts';

/** Called at the top of a file: runs real loops with one worker and without chance, each until its test ends. */
export function testLoops() {
  const stops: AbortController[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop.abort();
    await settle();
  });
  return <K extends string>(controller: Controller<K>, clock: ManualClock, classify: ControllerOptions['classify'] = () => undefined) => {
    const stop = new AbortController();
    stops.push(stop);
    const loop = new ControllerLoop(controller, { workers: 1, clock, random: () => 0, log: silentLog, metrics: noMetrics, classify });
    void loop.run(stop.signal, stop.signal);
  };
}
