import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GpuWatch, parseNvidia, parseRocm } from './gpu-watch.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the GPUs of tasks', () => {
  it('are read from the forms that the tools document', () => {
    // Written by hand after `nvidia-smi --help-query-gpu` and the manual of rocm-smi.
    const nvidia = parseNvidia('0, GPU-aaaa, 37, 1024\n1, GPU-bbbb, [N/A], 0\n');
    expect(nvidia.get('0')).toEqual({ util: 0.37, memory: 2 ** 30 });
    expect(nvidia.get('GPU-bbbb')).toEqual({ util: 0, memory: 0 });
    const amd = parseRocm('{"card0": {"GPU use (%)": "50", "VRAM Total Used Memory (B)": "1000"}, "system": {}}');
    expect([...amd]).toEqual([['0', { util: 0.5, memory: 1000 }]]);
    expect(parseRocm('WARNING: no GPU')).toEqual(new Map());
  });

  it('are looked at while a task holds them, and counted for it alone', async () => {
    const samples = [0.2, 0.6, 1].map((util, look) => new Map([['0', { util, memory: 100 - look }]]));
    let looks = 0;
    const watch = new GpuWatch(() => Promise.resolve(samples[looks++] ?? new Map()));
    watch.watch('without', []);
    watch.watch('task', ['0']);
    await vi.advanceTimersByTimeAsync(10_000);
    watch.watch('short', ['0']);
    expect(watch.take('task')).toEqual({ gpuUtil: 0.4, gpuMemoryPeak: 100 });
    expect(watch.take('without')).toBeUndefined();
    expect(watch.take('short')).toBeUndefined();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(looks).toBe(2);
  });
});
