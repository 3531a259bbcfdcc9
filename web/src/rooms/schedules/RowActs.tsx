/** The menu of one schedule. */

import { ActionIcon, Menu } from "@mantine/core";
import {
  IconDots,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerSkipForward,
  IconRotateClockwise,
} from "@tabler/icons-react";
import { RoleGate } from "@/components/RoleGate";
import { schedules as words } from "@/strings/schedules";
import type { Lane } from "./marks";
import { placeOf } from "./queries";

export type Verb = "pause" | "resume" | "run" | "skip" | "endSkips";

export interface ScheduleActs {
  /** Ask for a verb on these; a dialog comes first. */
  ask: (verb: Verb, lanes: readonly Lane[]) => void;
  edit: (lane: Lane) => void;
  backfill: (lane: Lane) => void;
}

export function RowActs({ lane, acts }: { lane: Lane; acts: ScheduleActs }) {
  const paused = lane.paused_at !== null;
  return (
    <Menu position="bottom-end" width={190}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`${words.acts.more}: ${placeOf(lane)}`}
        >
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <RoleGate needs="operator">
          <Menu.Item
            leftSection={<IconPlayerPlay size={15} />}
            onClick={() => acts.ask("run", [lane])}
          >
            {words.acts.run}
          </Menu.Item>
        </RoleGate>
        <RoleGate needs="operator">
          <Menu.Item
            leftSection={<IconPlayerPause size={15} />}
            onClick={() => acts.ask(paused ? "resume" : "pause", [lane])}
          >
            {paused ? words.acts.resume : words.acts.pause}
          </Menu.Item>
        </RoleGate>
        <RoleGate needs="operator">
          <Menu.Item
            leftSection={<IconPlayerSkipForward size={15} />}
            onClick={() => acts.ask("skip", [lane])}
          >
            {words.acts.skip}
          </Menu.Item>
        </RoleGate>
        <RoleGate needs="operator">
          <Menu.Item
            leftSection={<IconRotateClockwise size={15} />}
            onClick={() => acts.backfill(lane)}
          >
            {words.acts.backfill}
          </Menu.Item>
        </RoleGate>
        <RoleGate needs="operator">
          <Menu.Item leftSection={<IconPencil size={15} />} onClick={() => acts.edit(lane)}>
            {words.acts.edit}
          </Menu.Item>
        </RoleGate>
      </Menu.Dropdown>
    </Menu>
  );
}
