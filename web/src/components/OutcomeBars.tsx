import { Tooltip } from "@mantine/core";
import { duration } from "@/lib/time";
import { common } from "@/strings/common";
import classes from "./OutcomeBars.module.css";

interface Outcome {
  id: string;
  state: string;
  seconds: number | null;
}

interface Props {
  /** The oldest first. */
  outcomes: readonly Outcome[];
  /** The whole in words, for those who do not see it. */
  label: string;
}

const HEIGHT = 22;
const WIDTH = 5;
const GAP = 2;

/** The last runs as bars: height is how long, a hatch is a failure, hollow has not run. */
export function OutcomeBars({ outcomes, label }: Props) {
  const longest = Math.max(...outcomes.map((one) => one.seconds ?? 0), 0.001);
  const width = outcomes.length * (WIDTH + GAP);
  const last = outcomes.at(-1);
  return (
    <Tooltip
      label={
        last === undefined
          ? label
          : `${label}; the last: ${stateOf(last)}${last.seconds === null ? "" : `, ${duration(last.seconds)}`}`
      }
    >
      <svg
        role="img"
        aria-label={label}
        className={classes.bars}
        width={Math.max(width, 1)}
        height={HEIGHT}
        viewBox={`0 0 ${Math.max(width, 1)} ${HEIGHT}`}
      >
        <title>{label}</title>
        <defs>
          <pattern
            id="sw-hatch"
            width="4"
            height="4"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect width="4" height="4" className={classes.hatchGround} />
            <rect width="2" height="4" className={classes.hatch} />
          </pattern>
        </defs>
        {outcomes.map((one, at) => {
          // A square root keeps the short ones in sight beside one long one.
          const share = one.seconds === null ? 0.3 : Math.sqrt(one.seconds / longest);
          const height = Math.max(4, Math.round(share * HEIGHT));
          return (
            <rect
              key={one.id}
              x={at * (WIDTH + GAP)}
              y={HEIGHT - height}
              width={WIDTH}
              height={height}
              rx={1}
              data-state={one.state}
              className={classes.bar}
            />
          );
        })}
      </svg>
    </Tooltip>
  );
}

function stateOf(one: Outcome): string {
  return common.states[one.state as keyof typeof common.states] ?? one.state;
}
