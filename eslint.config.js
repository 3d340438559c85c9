import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import globals from 'globals'
import ts from 'typescript-eslint'

export default ts.config(
  { ignores: ['**/dist/**', '**/generated/**', '**/node_modules/**', '.tidemark/**'] },
  js.configs.recommended,
  ts.configs.strict,
  ts.configs.stylistic,
  prettier,
  { languageOptions: { globals: globals.node } },
  {
    rules: {
      // Indexed access is checked by the compiler; in the hot loops of fixed memory an assertion says "in range".
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts', 'services/*/src/**/*.ts'],
    ignores: ['**/config.ts', 'packages/testkit/**', 'packages/bench/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'The environment is read in config.ts alone.' },
      ],
    },
  },
)
