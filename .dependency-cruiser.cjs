// Dependencies point one way (docs/decisions/0001-one-direction.md):
// schemas <- core <- workspace, stream, decisions, scorers (pure parts) <- adapters <- app.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.(test|contract)\\.ts$' },
  to: {
    path: '^(schemas|core|workspace|stream|decisions|scorers|training|sinks|gateway|jobs|replay|console|client|app|tests|benchmarks)/',
    pathNot: allowed,
  },
});
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    only('schemas-import-nothing-of-ours', '^schemas/', '^schemas/'),
    only('core-imports-schemas', '^core/', '^(core|schemas)/'),
    only('workspace-is-pure', '^workspace/', '^(workspace|core|schemas)/'),
    only('decisions-are-pure', '^decisions/', '^(decisions|workspace|core|schemas)/'),
    only('scorers', '^scorers/', '^(scorers|workspace|core|schemas)/'),
    only('training', '^training/', '^(training|scorers|workspace|core|schemas)/'),
    only('stream', '^stream/', '^(stream|decisions|scorers|workspace|core|schemas)/'),
    only('replay-is-pure', '^replay/', '^(replay|decisions|workspace|core|schemas)/'),
    only('sinks', '^sinks/', '^(sinks|stream|decisions|workspace|core|schemas)/'),
    only('gateway', '^gateway/', '^(gateway|sinks|stream|decisions|scorers|workspace|core|schemas)/'),
    only('jobs', '^jobs/', '^(jobs|stream|decisions|workspace|core|schemas)/'),
    {
      name: 'only-app-reads-the-environment-or-wires',
      severity: 'error',
      from: { pathNot: '^(app|tests|benchmarks)/' },
      to: { path: '^app/' },
    },
    {
      name: 'product-never-imports-tests',
      severity: 'error',
      from: { pathNot: '^(tests|benchmarks)/|\\.(test|contract)\\.ts$' },
      to: { path: '^tests/' },
    },
    {
      name: 'a-folder-is-entered-by-its-index',
      severity: 'error',
      from: { path: '^([^/]+)/', pathNot: '^(app|tests|benchmarks)/|\\.(test|contract)\\.ts$' },
      to: {
        path: '^(core|workspace|decisions|scorers|training|replay)/[^/]+\\.ts$',
        pathNot: ['^$1/', '/index\\.ts$'],
      },
    },
  ],
  options: {
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs'] },
  },
};
