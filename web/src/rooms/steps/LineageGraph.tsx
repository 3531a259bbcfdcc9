import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { StateGlyph } from "@/components/StateGlyph";
import { common } from "@/strings/common";
import { steps as words } from "@/strings/steps";
import { HEIGHT, laidOut, WIDTH } from "./lineage";
import { lineageQuery, stateOf } from "./queries";
import classes from "./Steps.module.css";

/** Which step spawned which, was copied from which, waits for which; each opens its own. */
export function LineageGraph({ id, onShow }: { id: string; onShow: (id: string) => void }) {
  const found = useQuery(lineageQuery(id));
  const graph = useMemo(
    () => (found.data === undefined ? null : laidOut(found.data.nodes, found.data.edges)),
    [found.data],
  );
  if (found.error) return <ErrorFace error={found.error} onRetry={() => void found.refetch()} />;
  if (graph === null) return <SkeletonRows rows={3} />;
  if (graph.nodes.length <= 1) return <p className="sw-soft">{words.alone}</p>;
  const now = Date.now();
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys */}
      <section className={classes.graph} aria-label={words.lineage} tabIndex={0}>
        <div style={{ position: "relative", width: graph.width, height: graph.height }}>
          <svg
            width={graph.width}
            height={graph.height}
            aria-hidden="true"
            className={classes.edges}
          >
            {graph.edges.map((one) => (
              <path
                key={`${one.earlier} ${one.later} ${one.kind}`}
                d={one.path}
                data-kind={one.kind}
              />
            ))}
          </svg>
          {graph.nodes.map(({ node, x, y }) => {
            const state = stateOf(node, now);
            return (
              <button
                key={node.id}
                type="button"
                className={classes.node}
                data-state={state}
                aria-current={node.id === id ? "true" : undefined}
                style={{ left: x, top: y, width: WIDTH, height: HEIGHT }}
                title={node.description ?? node.name}
                onClick={() => onShow(node.id)}
              >
                <StateGlyph state={state} size={14} />
                <span className="sw-truncate">{node.name}</span>
                <span className="sw-hidden">{common.states[state]}</span>
              </button>
            );
          })}
        </div>
      </section>
      {found.data?.more ? <p className="sw-soft">{words.more}</p> : null}
    </>
  );
}
