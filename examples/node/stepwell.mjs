// What an image must do to be a workflow group: docs/reference/protocol.md, in JavaScript.
//
// Discover mode posts the manifest. Run mode joins as an engine, beats, claims one operation
// after the other, runs it and settles it, until nothing is due; then it leaves. A server that
// is away is waited for; one that refuses the token ends it at once.

import { randomBytes } from "node:crypto";

const OK = 0, MISTAKE = 2, NO_SERVER = 3, TERMINATED = 143;
const BEAT_SECONDS = 2, PATIENCE_SECONDS = 300;
const PAUSES = [0.1, 0.2, 0.5, 1, 2, 5];

class Refused extends Error {}    // 401, 403: the token is not valid (any more)
class Wrong extends Error {}      // another 4xx: the request cannot be used
class Buried extends Wrong {}     // the engine was declared dead; it has no claims any more

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

export async function main(group) {
  process.exitCode = await begin(group).catch((error) => {
    console.error(`stepwell: ${error.message}`);
    return error instanceof Refused ? NO_SERVER : MISTAKE;
  });
}

async function begin(group) {
  const mode = variable("STEPWELL_MODE");
  const link = new Link(variable("STEPWELL_URL"), variable("STEPWELL_TOKEN"));
  if (mode === "discover") return discover(group, link, variable("STEPWELL_DISCOVERY_ID"));
  if (mode === "run") return run(group, link, variable("STEPWELL_RUN_ID"));
  throw new Error(`STEPWELL_MODE is ${mode}; it is 'discover' or 'run'.`);
}

function variable(name) {
  if (process.env[name]) return process.env[name];
  throw new Error(`The environment variable ${name} is not set.`);
}

class Link {
  constructor(url, token) {
    this.base = `${url.replace(/\/$/, "")}/api/v1`;
    this.headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  }

  // The JSON of an answer; sent again while the server is away. `lost` is called before a
  // request is sent once more, for it may have been acted on.
  async ask(method, path, body, lost = () => {}) {
    for (let turn = 0; ; turn++) {
      try {
        return await this.once(method, path, body);
      } catch (error) {
        if (error instanceof Refused || error instanceof Wrong) throw error;
        console.error(`the server is away (${error.message})`);
        await sleep(PAUSES[Math.min(turn, PAUSES.length - 1)]);
        await lost();
      }
    }
  }

  async once(method, path, body) {
    const options = { method, headers: this.headers, signal: AbortSignal.timeout(30_000) };
    if (body !== undefined) options.body = JSON.stringify(body);
    const answer = await fetch(this.base + path, options);
    const text = await answer.text();
    if (answer.ok) return text ? JSON.parse(text) : null;
    if (answer.status >= 500 || answer.status === 429) throw new Error(`status ${answer.status}`);
    const { code, what, why, fix } = JSON.parse(text);
    const said = [what, why, fix, `[${code}]`].filter(Boolean).join(" ");
    if (answer.status === 401 || answer.status === 403) throw new Refused(said);
    throw code === "engine-buried" ? new Buried(said) : new Wrong(said);
  }
}

// -- discover -----------------------------------------------------------------------------

async function discover(group, link, id) {
  await link.ask("POST", `/discoveries/${id}/manifest`, manifest(group));
  return OK;
}

function manifest(group) {
  const { name, description = "", tags = [], entryPoint } = group;
  return {
    manifest_version: 1,
    sdk_version: "node-example-1",
    group: { name, description, tags, entry_point: entryPoint },
    workflows: group.workflows.map((one) => ({
      name: one.name,
      class: one.name,
      description: one.description ?? "",
      tags: one.tags ?? [],
      deadline: one.deadline ?? 86400,
      schedule: one.schedule ?? null,
      parameters: one.parameters,
      operations: one.operations.map(entry),
    })),
  };
}

function entry(operation, index) {
  return {
    name: operation.name,
    order: index + 1,
    description: operation.description ?? "",
    tags: operation.tags ?? [],
    halt_on_error: operation.haltOnError ?? true,
    retries: operation.retries ?? 0,
    timeout: null,
    output: operation.name,
    inputs: operation.inputs ?? {},
    returns: operation.returns ?? null,
  };
}

// -- run ----------------------------------------------------------------------------------

async function run(group, link, id) {
  const assigned = await link.ask("GET", `/runs/${id}/assignment`);
  const workflow = group.workflows.find((one) => one.name === assigned.workflow);
  if (!workflow) throw new Error(`This image has no workflow ${assigned.workflow}.`);
  const engine = new Engine(link, `/runs/${id}`, assigned.group, workflow);
  process.once("SIGTERM", () => engine.terminate());
  try {
    await engine.join();
    await engine.work();
    await engine.leave();
  } finally {
    clearInterval(engine.beating);
  }
  return OK;
}

class Engine {
  constructor(link, path, group, workflow) {
    Object.assign(this, { link, path, workflow });
    this.prefix = `v1/${group}/${workflow.name}/`;
    this.names = workflow.operations.map((one) => this.prefix + one.name);
  }

  verb(name, body, lost) {
    return this.link.ask("POST", `${this.path}/store/${name}`, body, lost).then((a) => a.result);
  }

  async join() {
    this.id = uuid7();
    const queues = ["runs"], version = "node-example-1";
    const engine = { id: this.id, name: "node", version, handles: this.names, queues };
    const pulse = await this.verb("join", { engine });
    this.ahead = Date.parse(pulse.now) - Date.now();  // instants are the server's
    clearInterval(this.beating);
    this.beating = setInterval(() => { this.beaten = this.beat(); }, BEAT_SECONDS * 1000);
  }

  async beat() {
    const body = { engine_id: this.id, started: [] };
    try {
      await this.link.once("POST", `${this.path}/store/beat`, body);
    } catch (error) {
      if (error instanceof Refused) this.refuse(error);
    }  // anything else: the next beat may come through, and a claim says if it is too late
  }

  refuse(error) {
    console.error(`stepwell: ${error.message}`);
    process.exit(NO_SERVER);
  }

  async leave() {
    clearInterval(this.beating);
    await this.beaten;  // one that comes after it has left would find no engine
    await this.verb("leave", { engine_id: this.id });
  }

  // SIGTERM: give back what is claimed, so that the next attempt need not wait for it.
  async terminate() {
    clearInterval(this.beating);
    const post = (verb, body) => this.link.once("POST", `${this.path}/store/${verb}`, body);
    const claims = this.claim ? [this.claim] : [];
    try {
      if (claims.length) await post("release", { engine_id: this.id, claims });
      await post("leave", { engine_id: this.id });
    } finally {
      process.exit(TERMINATED);
    }
  }

  async work() {
    for (;;) {
      try {
        const { steps, next_due } = await this.next();
        if (steps.length) {
          this.claim = { step_id: steps[0].id, claim_no: steps[0].claim_no };
          await this.execute(steps[0]);
          this.claim = null;
          continue;
        }
        const wait = next_due === null ? Infinity : (Date.parse(next_due) - this.now()) / 1000;
        if (wait > PATIENCE_SECONDS) return;  // the server starts the image again when it is due
        await sleep(Math.max(wait, 0.05));
      } catch (error) {
        if (!(error instanceof Buried)) throw error;
        await this.join();  // a new engine; what it held was given to others
      }
    }
  }

  // One row that is due. If the answer was lost, what it may have claimed is given back first.
  next() {
    const request = { engine_id: this.id, names: this.names, queues: ["runs"], limit: 1 };
    const giveBack = async () => {
      const claims = await this.verb("claimed", { engine_id: this.id });
      if (claims.length) await this.verb("release", { engine_id: this.id, claims });
      request.request_id = uuid7();
    };
    request.request_id = uuid7();
    return this.verb("claim", { request }, giveBack);
  }

  now() {
    return Date.now() + this.ahead;
  }

  async execute(step) {
    const operation = this.workflow.operations.find((o) => this.prefix + o.name === step.name);
    const state = JSON.parse(step.state);
    const began = this.now();
    const context = new Context(this, operation);
    let end;
    try {
      const inputs = await this.inputs(operation, step, state);
      const value = inputs && (await operation.run(inputs, context));
      if (inputs) await context.stage();
      end = inputs
        ? { ended_as: "done", result: JSON.stringify(value ?? null) }
        : { ended_as: "skipped", description: "An operation before it has given no value." };
    } catch (error) {
      if (error instanceof Refused || error instanceof Buried) throw error;
      end = this.failure(operation, step, error);
    }
    const goesOn = end.ended_as && (end.ended_as !== "failed" || operation.haltOnError === false);
    const following = goesOn ? this.following(operation, step) : [];
    await this.settle(step, end, began, following);
  }

  // By name: from the parameters of the run, or from the value of an earlier operation.
  async inputs(operation, step, { parameters }) {
    const found = {};
    const properties = this.workflow.parameters.properties ?? {};
    for (const [name, { from, required }] of Object.entries(operation.inputs ?? {})) {
      if (from === "parameter") {
        found[name] = name in parameters ? parameters[name] : properties[name]?.default;
        continue;
      }
      const flow_id = step.flow_id;
      const query = { flow_id, name: this.prefix + from, ended_as: "done", limit: 1 };
      const [row] = await this.verb("search", { query });
      if (!row && required) return null;
      if (row) found[name] = JSON.parse(row.result);
    }
    return found;
  }

  // Tried again after 1, 8, 27 ... seconds, as often as it says; then it has failed.
  failure(operation, step, error) {
    const failures = step.failure_count + 1;
    const description = `${error.name}: ${error.message}`.slice(0, 2000);
    console.error(error.stack);
    if (failures > (operation.retries ?? 0)) {
      return { ended_as: "failed", failure_count: failures, description };
    }
    const due = new Date(this.now() + failures ** 3 * 1000).toISOString();
    const again = { ended_as: null, schedule_time: due, keep_activation: true };
    return { ...again, failure_count: failures, description };
  }

  // The next operation in the same flow, with the same state; none after the last.
  following(operation, step) {
    const next = this.workflow.operations[this.workflow.operations.indexOf(operation) + 1];
    if (!next) return [];
    const now = new Date(this.now()).toISOString();
    const { flow_id, correlation_id, search_key, priority, retention, state } = step;
    const same = { flow_id, correlation_id, search_key, priority, retention, state };
    const own = { id: uuid7(), name: this.prefix + next.name, queue: "runs" };
    return [{ step: { ...same, ...own, created_by_step_id: step.id, created_at: now,
      schedule_time: now } }];
  }

  // The same again if the answer was lost: what was applied once counts as applied.
  async settle(step, end, began, additions) {
    const settlement = {
      claim: { step_id: step.id, claim_no: step.claim_no },
      description: null,
      activation_seen: step.activation_no,
      failure_count: 0,
      execution_started_at: new Date(began).toISOString(),
      execution_duration: Math.max(0, this.now() - began) / 1000,
      executed_by: "node",
      additions,
      ...end,
    };
    const [verdict] = await this.verb("settle", { engine_id: this.id, settlements: [settlement] });
    if (verdict !== "applied") console.error(`${step.name} had run elsewhere meanwhile`);
  }
}

// What an operation gets: state and reports, which are committed with its settlement.
class Context {
  constructor(engine, operation) {
    Object.assign(this, { engine, operation, staged: [] });
    this.scope = `workflow:${engine.workflow.name}`;
  }

  async read(key) {
    const query = new URLSearchParams({ scope: this.scope, key });
    const found = await this.engine.link.ask("GET", `${this.engine.path}/state?${query}`);
    return found.exists ? found.value : undefined;
  }

  save(key, value) {
    this.staged.push({ kind: "state", payload: { scope: this.scope, key, value } });
  }

  report(name, kind, media_type, text) {
    const content = Buffer.from(text).toString("base64");
    this.staged.push({ kind: "report", payload: { name, kind, media_type }, content });
  }

  async stage() {
    for (const one of this.staged) {
      const body = { id: uuid7(), ...this.engine.claim, ...one };
      await this.engine.link.ask("POST", `${this.engine.path}/staged`, body);
    }
  }
}

// A UUID version 7: time first, so that rows lie in the order in which they were made.
function uuid7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
