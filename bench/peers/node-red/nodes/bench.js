/**
 * The two ends of a flow of the bench: `bench-in` gives the events of the run, `bench-out` takes its rows.
 *
 * @param {any} RED The runtime, as it hands itself to every node.
 */
module.exports = (RED) => {
  const { run, burst } = /** @type {any} */ (globalThis).machBench;
  /** @this {any} @param {object} config */
  function BenchIn(config) {
    RED.nodes.createNode(this, config);
    RED.events.once('flows:started', () => run.started());
    run.begin = () => {
      let at = 0;
      const give = () => {
        const to = Math.min(at + burst, run.events.length);
        for (; at < to; at++) this.send({ payload: run.events[at] });
        if (at < run.events.length) setImmediate(give);
        // Messages keep their order: when this one comes out, all have.
        else this.send({ payload: { kind: 'bid' }, isEnd: true });
      };
      give();
    };
  }

  /** @this {any} @param {object} config */
  function BenchOut(config) {
    RED.nodes.createNode(this, config);
    this.on('input', (/** @type {any} */ msg, /** @type {any} */ _send, /** @type {() => void} */ done) => {
      done();
      if (msg.isEnd) return run.done();
      run.count++;
      run.rows?.push(msg.payload);
    });
  }

  RED.nodes.registerType('bench-in', BenchIn);
  RED.nodes.registerType('bench-out', BenchOut);
};
