/** One schedule beside the list: its words, its book, what was made up for, who changed it. */

import { Button, Menu, Tabs } from "@mantine/core";
import {
  IconDots,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconRotateClockwise,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { RoleGate } from "@/components/RoleGate";
import { SideDrawer } from "@/components/SideDrawer";
import { ScheduleZone } from "@/lib/zone";
import { schedules as words } from "@/strings/schedules";
import { Backfills } from "./Backfills";
import classes from "./Drawer.module.css";
import { EditSchedule } from "./EditSchedule";
import { History } from "./History";
import { Ledger } from "./Ledger";
import type { Lane } from "./marks";
import { Overview } from "./Overview";
import { placeOf, type Schedule, scheduleQuery } from "./queries";
import { type Reasoned, ReasonedAct } from "./ReasonedAct";
import type { ScheduleActs } from "./RowActs";

interface Props {
  id: string;
  lane: Lane | undefined;
  acts: ScheduleActs;
  onClose: () => void;
}

type Tab = "overview" | "ledger" | "backfills" | "history" | "edit";

export function ScheduleDrawer({ id, lane, acts, onClose }: Props) {
  const { data, error, refetch } = useQuery(scheduleQuery(id));
  const { tab = "overview" } = useSearch({ from: "/shell/schedules" });
  const navigate = useNavigate({ from: "/schedules" });
  const go = (next: Tab) =>
    void navigate({
      search: (old) => ({ ...old, tab: next === "overview" ? undefined : next }),
      replace: true,
    });
  const title = data ? placeOf(data) : lane ? placeOf(lane) : words.title;
  const zone = lane?.timezone ?? zoneOf(data);
  return (
    <SideDrawer opened onClose={onClose} title={title}>
      <ScheduleZone value={zone}>
        {error ? <ErrorFace error={error} onRetry={() => void refetch()} /> : null}
        {data === undefined ? (
          error ? null : (
            <SkeletonRows />
          )
        ) : tab === "edit" ? (
          <EditSchedule schedule={data} onDone={() => go("overview")} />
        ) : (
          <>
            <Buttons schedule={data} lane={lane} acts={acts} onEdit={() => go("edit")} />
            <Tabs value={tab} onChange={(next) => go((next ?? "overview") as Tab)}>
              <Tabs.List mb="sm">
                {(["overview", "ledger", "backfills", "history"] as const).map((one) => (
                  <Tabs.Tab key={one} value={one}>
                    {words.tabs[one]}
                  </Tabs.Tab>
                ))}
              </Tabs.List>
              <Tabs.Panel value="overview">
                <Overview schedule={data} lane={lane} />
              </Tabs.Panel>
              <Tabs.Panel value="ledger">
                <Ledger schedule={data} lane={lane} />
              </Tabs.Panel>
              <Tabs.Panel value="backfills">
                <Backfills schedule={data} />
              </Tabs.Panel>
              <Tabs.Panel value="history">
                <History schedule={data} />
              </Tabs.Panel>
            </Tabs>
          </>
        )}
      </ScheduleZone>
    </SideDrawer>
  );
}

function zoneOf(schedule: Schedule | undefined): string | null {
  const found = schedule?.spec.timezone;
  return typeof found === "string" ? found : null;
}

function Buttons(props: {
  schedule: Schedule;
  lane: Lane | undefined;
  acts: ScheduleActs;
  onEdit: () => void;
}) {
  const { schedule, lane, acts, onEdit } = props;
  const [asked, setAsked] = useState<Reasoned | null>(null);
  const paused = schedule.paused_at !== null;
  const inactive = schedule.active && lane ? null : words.never;
  const on = (act: (lane: Lane) => void) => () => lane && act(lane);
  return (
    <div className={classes.buttons}>
      <RoleGate needs="operator" blocked={inactive}>
        <Button
          leftSection={<IconPlayerPlay size={14} />}
          onClick={on((one) => acts.ask("run", [one]))}
        >
          {words.acts.run}
        </Button>
      </RoleGate>
      <RoleGate needs="operator" blocked={inactive}>
        <Button
          variant="default"
          leftSection={<IconPlayerPause size={14} />}
          onClick={on((one) => acts.ask(paused ? "resume" : "pause", [one]))}
        >
          {paused ? words.acts.resume : words.acts.pause}
        </Button>
      </RoleGate>
      <RoleGate needs="operator" blocked={inactive}>
        <Button variant="default" leftSection={<IconPencil size={14} />} onClick={onEdit}>
          {words.acts.edit}
        </Button>
      </RoleGate>
      <RoleGate needs="operator" blocked={inactive}>
        <Button
          variant="default"
          leftSection={<IconRotateClockwise size={14} />}
          onClick={on((one) => acts.backfill(one))}
        >
          {words.acts.backfill}
        </Button>
      </RoleGate>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" px={8} aria-label={words.acts.more}>
            <IconDots size={15} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <RoleGate needs="operator" blocked={inactive}>
            <Menu.Item onClick={on((one) => acts.ask("skip", [one]))}>{words.acts.skip}</Menu.Item>
          </RoleGate>
          {schedule.skips.length > 0 ? (
            <RoleGate needs="operator">
              <Menu.Item onClick={on((one) => acts.ask("endSkips", [one]))}>
                {words.acts.endSkips}
              </Menu.Item>
            </RoleGate>
          ) : null}
          {schedule.origin === "overridden" ? (
            <RoleGate needs="operator">
              <Menu.Item onClick={() => setAsked("endOverride")}>
                {words.acts.endOverride}
              </Menu.Item>
            </RoleGate>
          ) : null}
          {schedule.origin === "added" ? (
            <RoleGate needs="operator">
              <Menu.Item color="red" onClick={() => setAsked("remove")}>
                {words.acts.remove}
              </Menu.Item>
            </RoleGate>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <ReasonedAct asked={asked} schedule={schedule} onClose={() => setAsked(null)} />
    </div>
  );
}
