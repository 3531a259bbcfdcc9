import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Change, Live } from "./live";

class Source extends EventTarget {
  static all: Source[] = [];
  readyState = 1;
  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }
  close() {
    this.readyState = 2;
  }
  say(name: string, data: object = {}) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
}

const change: Change = {
  topic: "runs",
  what: "failed",
  id: "r1",
  at: "2026-11-26T19:00:00Z",
  group: "weather",
};

describe("the live stream", () => {
  let client: QueryClient;
  let live: Live;
  let stale: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    Source.all = [];
    stale = [];
    client = new QueryClient();
    vi.spyOn(client, "invalidateQueries").mockImplementation(async (filters) => {
      const some = filters?.predicate ? "what is told of" : "all";
      stale.push(filters?.queryKey?.join(" ") ?? some);
    });
    live = new Live(client, (url) => new Source(url) as unknown as EventSource);
    live.start();
  });

  afterEach(() => {
    live.stop();
    vi.useRealTimers();
  });

  it("tells those who listen to a topic, at once", () => {
    const heard: string[] = [];
    live.on("runs", (one) => heard.push(`${one.id} ${one.what}`));
    live.on("bulk", (one) => heard.push(`bulk ${one.id}`));
    Source.all[0]?.say("runs", change);
    expect(heard).toEqual(["r1 failed"]);
  });

  it("has what is stale fetched once for many changes", () => {
    for (let at = 0; at < 50; at += 1) Source.all[0]?.say("runs", change);
    expect(stale).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(stale).toEqual(["summary", "causes", "run r1"]);
  });

  it("fetches everything again after a gap", () => {
    Source.all[0]?.say("gap");
    expect(stale).toEqual(["all"]);
  });

  it("ends while it is paused, and fetches what was missed when it goes on", () => {
    Source.all[0]?.say("ready");
    expect(live.snapshot().link).toBe("live");
    live.pause(true);
    expect([Source.all[0]?.readyState, live.snapshot().link]).toEqual([2, "paused"]);
    live.pause(false);
    Source.all[1]?.say("ready");
    expect(stale).toEqual(["what is told of", "all"]);
  });

  it("has fetched again what changed between the first answers and its beginning", () => {
    Source.all[0]?.say("ready");
    expect(stale).toEqual(["what is told of"]);
  });

  it("fetches what was missed when the connection was lost before anything was heard", () => {
    Source.all[0]?.say("ready");
    Source.all[0]?.dispatchEvent(new Event("error"));
    expect(live.snapshot().link).toBe("broken");
    Source.all[0]?.say("ready");
    expect(stale).toEqual(["what is told of", "all"]);
  });

  it("comes back by itself after the server has refused it", () => {
    const first = Source.all[0];
    first?.close();
    first?.dispatchEvent(new Event("error"));
    expect(live.snapshot().link).toBe("broken");
    vi.advanceTimersByTime(5000);
    expect(Source.all).toHaveLength(2);
  });

  it("fetches again what was asked for before a change and is answered after it", async () => {
    vi.mocked(client.invalidateQueries).mockRestore();
    const answers: ((found: string) => void)[] = [];
    const found = new QueryObserver(client, {
      queryKey: ["schedules"],
      queryFn: () => new Promise<string>((answer) => answers.push(answer)),
    });
    const unsubscribe = found.subscribe(() => undefined);
    Source.all[0]?.say("schedules", { ...change, topic: "schedules" });
    await vi.advanceTimersByTimeAsync(1000);
    answers[0]?.("before the change");
    await vi.advanceTimersByTimeAsync(0);
    answers[1]?.("after it");
    await vi.advanceTimersByTimeAsync(0);
    expect(found.getCurrentResult().data).toBe("after it");
    unsubscribe();
  });
});
