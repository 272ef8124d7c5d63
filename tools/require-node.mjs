// Preloaded by the npm scripts, and plain JavaScript on purpose: it must run on the old Node it complains about. Under
// `npm run` the Node 24 that tools/node-runtime installs comes first on PATH; this speaks up where that package was left
// out (`npm ci --omit=dev`, or a platform it has no binary for) and the machine's own Node is too old to read TypeScript.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  process.stderr.write(
    `weir needs Node.js 24.7 or later; this is ${process.versions.node}. Run "npm ci" and use the npm scripts ` +
      '(they bring Node 24 along on Linux and Windows), or install Node.js 24.\n',
  );
  process.exit(1);
}
