/** Where the steps of a lineage stand: earlier ones above later ones. Pure. */

import dagre from "@dagrejs/dagre";
import type { Schemas } from "@/api/client";

type Node = Schemas["StepNode"];
type Edge = Schemas["StepEdge"];

export const WIDTH = 190;
export const HEIGHT = 32;

export function laidOut(nodes: readonly Node[], edges: readonly Edge[]) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 18, ranksep: 34, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(nodes.map((one) => one.id));
  for (const one of nodes) graph.setNode(one.id, { width: WIDTH, height: HEIGHT });
  const shown = edges.filter((one) => known.has(one.earlier) && known.has(one.later));
  for (const one of shown) graph.setEdge(one.earlier, one.later, {}, one.kind);
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    nodes: nodes.map((node) => {
      const at = graph.node(node.id) as { x: number; y: number };
      return { node, x: at.x - WIDTH / 2, y: at.y - HEIGHT / 2 };
    }),
    edges: shown.map((one) => {
      const { points } = graph.edge(one.earlier, one.later, one.kind) as {
        points: { x: number; y: number }[];
      };
      return { ...one, path: pathOf(points) };
    }),
  };
}

function pathOf(points: readonly { x: number; y: number }[]): string {
  return points
    .map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("");
}
