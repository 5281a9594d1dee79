import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { freePort } from '../setup/jupyter.mjs';
import { checkNode, demoModelRefusal, findPython } from '../setup/machine.mjs';

const AVX2 = ['sse4_2', 'avx', 'avx2'];

describe('what the machine must have', () => {
  test.each(['20.18.3', '18.20.0', '16.0.0'])('Node %s is too old, and the remedy is named', (version) => {
    expect(() => checkNode(version, 'linux')).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(version),
        hint: expect.stringContaining('Install Node'),
      }),
    );
  });

  test.each(['20.19.0', '22.1.0', '24.21.0'])('Node %s will do', (version) => {
    expect(() => checkNode(version, 'linux')).not.toThrow();
  });

  test('other systems are refused by name', () => {
    expect(() => checkNode('24.0.0', 'darwin')).toThrow(/darwin/);
  });

  test('a Python that is not there is named with the variable that named it', async () => {
    await expect(findPython({ PILOTHOUSE_PYTHON: '/nowhere/python3' }, '/nowhere/venv')).rejects.toMatchObject({
      message: expect.stringContaining('/nowhere/python3'),
      hint: expect.stringContaining('PILOTHOUSE_PYTHON'),
    });
  });

  test('a port in use is refused, with what to do', async () => {
    const other = createServer();
    await new Promise((listening) => other.listen(0, '127.0.0.1', listening));
    const { port } = other.address();
    await expect(freePort(port)).rejects.toMatchObject({
      message: `Port ${port} is in use by another program.`,
      hint: expect.stringContaining('--port'),
    });
    await new Promise((closed) => other.close(closed));
    await expect(freePort(port)).resolves.toBe(port);
  });
});

describe('the demo model', () => {
  test('runs where its server runs', () => {
    expect(demoModelRefusal('x64', '2.35', AVX2)).toBeUndefined();
    expect(demoModelRefusal('x64', '3.0', AVX2)).toBeUndefined();
  });

  test.each([
    ['arm64', '2.36', AVX2, 'x86_64'],
    ['x64', '2.34', AVX2, 'glibc 2.35'],
    ['x64', undefined, AVX2, 'another C library'],
    ['x64', '2.36', ['avx'], 'AVX2'],
  ])('is left out on %s with glibc %s, and the reason is given', (arch, glibc, flags, reason) => {
    // `undefined` stands for a C library that is not glibc, not for "ask this machine".
    const refusal = glibc === undefined ? demoModelRefusal(arch, null, flags) : demoModelRefusal(arch, glibc, flags);
    expect(refusal).toContain(reason);
  });
});
