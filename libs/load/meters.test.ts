import assert from "node:assert/strict";
import { test } from "node:test";
import { FadingMean } from "./fading-mean.ts";
import { FadingRate } from "./fading-rate.ts";
import { LatencyWindow } from "./latency-window.ts";
import { StreamMeter } from "./stream-meter.ts";

/** A clock that stands until it is moved. */
function stoppedClock() {
  let now = 1000;
  return { clock: () => now, pass: (milliseconds: number) => (now += milliseconds) };
}

const near = (value: number, wanted: number, share: number) =>
  assert(Math.abs(value - wanted) <= wanted * share, `${value} instead of ${wanted}`);

test("a rate is what happens a second, from the first seconds on, and fades once nothing happens", () => {
  const { clock, pass } = stoppedClock();
  const rate = new FadingRate(15_000, clock);
  assert.equal(rate.perSecond, 0);
  for (let tenth = 0; tenth < 30; tenth += 1) {
    pass(100);
    rate.count(400);
  }
  near(rate.perSecond, 4000, 0.05);
  for (let tenth = 0; tenth < 600; tenth += 1) {
    pass(100);
    rate.count(800);
  }
  near(rate.perSecond, 8000, 0.05);
  pass(45_000);
  near(rate.perSecond, 8000 * Math.exp(-3), 0.05);
});

test("one batch in the first moment is no flood", () => {
  const rate = new FadingRate(15_000, stoppedClock().clock);
  rate.count(100);
  near(rate.perSecond, 100, 0.05);
});

test("a mean follows by time, not by how often it changes", () => {
  const { clock, pass } = stoppedClock();
  const mean = new FadingMean(5000, clock);
  for (let call = 0; call < 600; call += 1) {
    mean.set(3);
    pass(50);
    mean.set(0);
    pass(150);
  }
  near(mean.mean, 0.75, 0.1);
  mean.set(10);
  pass(5000);
  near(mean.mean, 10 - (10 - 0.75) / Math.E, 0.02);
});

test("a quantile is of the last minute, to a tenth", () => {
  const { clock, pass } = stoppedClock();
  const window = new LatencyWindow(clock);
  assert.deepEqual([window.quantile(0.95), window.samples], [0, 0]);
  for (let call = 1; call <= 1000; call += 1) window.observe(call / 1000);
  near(window.quantile(0.95), 0.95, 0.1);
  near(window.quantile(0.5), 0.5, 0.1);
  assert.equal(window.samples, 1000);
  pass(30_000);
  window.observe(5000);
  assert.equal(window.samples, 1001);
  pass(35_000);
  assert.equal(window.samples, 1);
  pass(3_600_000);
  assert.deepEqual([window.quantile(0.95), window.samples], [0, 0]);
});

test("streams are counted once each, and so is the time since there was one", () => {
  const { clock, pass } = stoppedClock();
  const meter = new StreamMeter(clock);
  pass(500);
  const leave = [meter.enter(), meter.enter()];
  assert.equal(meter.load.inFlight, 2);
  pass(20_000);
  near(meter.load.meanInFlight, 2, 0.05);
  assert.equal(meter.lastBusyAt, clock());
  for (const end of [...leave, ...leave]) end();
  assert.equal(meter.load.inFlight, 0);
  const ended = clock();
  pass(7000);
  assert.equal(meter.lastBusyAt, ended);
  meter.answered(0.2);
  assert.equal(meter.load.latencySamples, 1);
});
