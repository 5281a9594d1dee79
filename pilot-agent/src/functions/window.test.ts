import { describe, expect, it } from 'vitest';
import { Window } from './window.js';

describe('what a worker is given ahead', () => {
  it('is one call until calls have been short, grows step by step, and is one again after long ones', () => {
    const window = new Window();
    expect(window.size).toBe(1);
    window.took(0.05);
    expect(window.size).toBe(1);
    for (let call = 0; call < 40; call += 1) window.took(10e-6);
    expect(window.size).toBe(64);
    window.took(1);
    expect(window.size).toBe(64);
    for (let call = 0; call < 20; call += 1) window.took(1);
    expect(window.size).toBe(1);
    for (let call = 0; call < 200; call += 1) window.took(0.9e-3);
    expect(window.size).toBe(4);
    window.narrow();
    expect(window.size).toBe(1);
  });
});
