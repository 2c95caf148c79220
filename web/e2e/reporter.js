// The last word of a run: one line of counts, and failure when a test was skipped or none ran. A skipped test proves
// nothing, so a green run may not contain one.
export default class Counts {
  passed = 0;
  failed = 0;
  skipped = 0;

  onTestEnd(test, result) {
    if (result.status === 'skipped') this.skipped += 1;
    else if (result.status === test.expectedStatus) this.passed += 1;
    else this.failed += 1;
  }

  onEnd(result) {
    console.log(`browser: ${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
    if (result.status === 'passed' && (this.skipped > 0 || this.passed === 0)) return { status: 'failed' };
    return undefined;
  }

  printsToStdio() {
    return false;
  }
}
