/** The operations in their order, as a graph; long rows of them fold. */

import "@xyflow/react/dist/style.css";
import dagre from "@dagrejs/dagre";
import { Switch } from "@mantine/core";
import {
  Background,
  Controls,
  type Edge,
  Handle,
  MarkerType,
  MiniMap,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
} from "@xyflow/react";
import { memo, useEffect, useMemo, useState } from "react";
import { StateGlyph, type StateWord } from "@/components/StateGlyph";
import { usePhone } from "@/lib/media";
import { duration } from "@/lib/time";
import { run as words } from "@/strings/run";
import classes from "./GraphTab.module.css";
import { chainOf, type Link } from "./graph";
import type { Shown } from "./pieces";

const WIDTH = 200;
const HEIGHT = 56;
const FITS = { maxZoom: 1, padding: 0.15 };

type Data = Link & { current: boolean; phone: boolean };

export function GraphTab(props: Shown) {
  return (
    <ReactFlowProvider>
      <Graph {...props} />
    </ReactFlowProvider>
  );
}

function Graph({ run, steps, open, current }: Shown) {
  const phone = usePhone();
  const [follow, setFollow] = useState(true);
  const flow = useReactFlow();
  const chain = useMemo(() => chainOf(run.operations, steps), [run.operations, steps]);
  const { nodes, edges } = useMemo(() => laidOut(chain, current, phone), [chain, current, phone]);
  const running = chain.find((one) => one.state === "running")?.id;
  const width = useStore((one) => one.width);

  useEffect(() => {
    if (width > 0) void flow.fitView(FITS);
  }, [width, flow]);

  useEffect(() => {
    if (!follow || running === undefined) return;
    void flow.fitView({ nodes: [{ id: running }], maxZoom: 1, duration: 300 });
  }, [follow, running, flow]);

  return (
    <section aria-label={words.graph.label}>
      <Switch
        size="xs"
        label={words.graph.follow}
        checked={follow}
        onChange={(event) => setFollow(event.currentTarget.checked)}
      />
      <div className={classes.canvas} data-short={(chain.length <= 10 && !phone) || undefined}>
        <ReactFlow
          key={phone ? "down" : "across"} // where the lines begin is measured once
          nodes={nodes}
          edges={edges}
          nodeTypes={TYPES}
          fitView
          fitViewOptions={FITS}
          minZoom={0.1}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          onNodeClick={(_, node) => {
            const { step, state, name } = node.data as Data;
            if (state !== "folded") open(step ?? name);
          }}
          proOptions={{ hideAttribution: false }}
        >
          <Background gap={20} size={1} />
          <Controls showInteractive={false} />
          {chain.length > 8 ? <MiniMap pannable zoomable /> : null}
        </ReactFlow>
      </div>
    </section>
  );
}

const Operation = memo(function Operation({ data }: NodeProps) {
  const one = data as Data;
  return (
    <div className={classes.node} data-state={one.state} data-current={one.current || undefined}>
      <Handle type="target" position={one.phone ? Position.Top : Position.Left} />
      <span className={classes.name}>
        {one.state === "folded" ? null : <StateGlyph state={one.state as StateWord} />}
        <span className="sw-truncate">
          {one.state === "folded" ? words.graph.folded(one.count) : one.name}
        </span>
      </span>
      <span className={classes.more}>
        {one.seconds === null ? "" : duration(one.seconds)}
        {one.tries > 1 ? ` ×${one.tries}` : ""}
      </span>
      <Handle type="source" position={one.phone ? Position.Bottom : Position.Right} />
    </div>
  );
});

const TYPES = { operation: Operation };

function laidOut(
  chain: readonly Link[],
  current: string | undefined,
  phone: boolean,
): { nodes: Node[]; edges: Edge[] } {
  const graph = new dagre.graphlib.Graph().setDefaultEdgeLabel(() => ({}));
  graph.setGraph({ rankdir: phone ? "TB" : "LR", nodesep: 24, ranksep: phone ? 28 : 44 });
  for (const one of chain) graph.setNode(one.id, { width: WIDTH, height: HEIGHT });
  const edges: Edge[] = chain.slice(1).map((one, at) => {
    const before = chain[at];
    const source = before?.id ?? "";
    graph.setEdge(source, one.id);
    return {
      id: `${source} ${one.id}`,
      source,
      target: one.id,
      animated: one.state === "running",
      markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
    };
  });
  dagre.layout(graph);
  const nodes = chain.map((one): Node => {
    const { x, y } = graph.node(one.id);
    return {
      id: one.id,
      type: "operation",
      position: { x: x - WIDTH / 2, y: y - HEIGHT / 2 },
      data: { ...one, current: one.step === current && current !== undefined, phone },
      ariaLabel: `${one.name}, ${one.state}`,
    };
  });
  return { nodes, edges };
}
