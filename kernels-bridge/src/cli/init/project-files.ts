/** The files that a TypeScript notebook folder needs beside `node_modules`. A file that is there is never changed. */
export const PROJECT_FILES: Readonly<Record<string, object>> = {
  // Deno looks for packages in the node_modules beside a package.json; editors take the folder for one project.
  'package.json': {
    private: true,
    description: 'TypeScript notebooks. `pilothouse init` brings back the Pilothouse SDK after an `npm install` here.',
    type: 'module',
  },
  'deno.json': {
    // Packages come from node_modules as it is: nothing is fetched when a cell runs, so notebooks work without internet.
    nodeModulesDir: 'manual',
  },
  'tsconfig.json': {
    compilerOptions: {
      target: 'ES2022',
      module: 'ESNext',
      moduleResolution: 'bundler',
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      types: ['node'],
    },
  },
};
