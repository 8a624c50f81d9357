/** The test runner's configuration for `npm run test:full`: the usual tests and the long ones. */
module.exports = { files: ['build/test/**/*.test.js'], timeout: '15m' }
