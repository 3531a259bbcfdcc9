/** All schedules: what became of their fires, when the next ones come, and how much goes on. */

import { Button } from "@mantine/core";
import { IconCalendarOff, IconCalendarTime, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { CopyAs } from "@/components/CopyAs";
import { FourFaces } from "@/components/FourFaces";
import { PageHeader } from "@/components/PageHeader";
import { RoleGate } from "@/components/RoleGate";
import { useNow } from "@/lib/now";
import { ScheduleZone, useZone } from "@/lib/zone";
import { schedules as words } from "@/strings/schedules";
import { ActDialog } from "./ActDialog";
import { type BackfillAsk, BackfillDialog } from "./BackfillDialog";
import { DowntimeBanner } from "./DowntimeBanner";
import { AddSchedule } from "./EditSchedule";
import { FireDialog } from "./FireDialog";
import { facts, shown } from "./filters";
import { HotWindows } from "./LoadLane";
import { shownZone } from "./MarkCard";
import type { Item, Lane } from "./marks";
import { placeOf, stripQuery } from "./queries";
import type { ScheduleActs, Verb } from "./RowActs";
import { countdown } from "./RowName";
import { ScheduleDrawer } from "./ScheduleDrawer";
import classes from "./SchedulesPage.module.css";
import { StripList } from "./StripList";
import { LENGTH, moved, spanOf, ZOOMS, type Zoom } from "./scale";
import { SelectionBar, Toolbar } from "./Toolbar";
import { Twin } from "./Twin";

export function SchedulesPage() {
  const search = useSearch({ from: "/shell/schedules" });
  const navigate = useNavigate({ from: "/schedules" });
  const set = (change: Partial<typeof search>, replace = true) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace });
  const zone = shownZone(useZone());
  const zoom = search.zoom ?? "21d";
  // Once a minute is often enough for strips: their pixels are minutes at least.
  const minute = Math.floor(useNow() / 60_000) * 60_000;
  const span = spanOf(zoom, minute, search.from ? Date.parse(search.from) : null);
  const query = useQuery(stripQuery(span, search.group));
  const strip = query.data;
  const now = strip ? Math.max(Date.parse(strip.as_of), minute) : minute;
  const lanes = useMemo(
    () => shown(strip?.lanes ?? [], search.find ?? "", search.show, now),
    [strip, search.find, search.show, now],
  );
  const dialogs = useDialogs((lane) => set({ schedule: lane.schedule_id, tab: "edit" }, false));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const chosen = (strip?.lanes ?? []).filter((one) => selected.has(one.schedule_id));
  const open = (lane: Lane) => set({ schedule: lane.schedule_id, tab: undefined }, false);
  const groups = [...new Set((strip?.lanes ?? []).map((one) => one.group))].sort();
  const never = strip !== undefined && strip.lanes.length === 0 && search.group === undefined;

  function zoomTo(begin: number, end: number) {
    const length = Math.max(3 * (end - begin), LENGTH["6h"]);
    const next = [...ZOOMS].find((one) => LENGTH[one] >= length) ?? "90d";
    const from = (begin + end) / 2 - LENGTH[next] / 2;
    set({ zoom: next, from: new Date(from).toISOString() }, false);
  }

  /** From where the address is by now: a second click comes before the first is drawn. */
  function move(by: number | null) {
    const from = (old: typeof search) => {
      if (by === null) return undefined;
      const seen = spanOf(old.zoom ?? "21d", minute, old.from ? Date.parse(old.from) : null);
      return new Date(moved(seen, by).begin).toISOString();
    };
    void navigate({ search: (old) => ({ ...old, from: from(old) }), replace: true });
  }

  return (
    <>
      <PageHeader
        title={words.title}
        lead={strip && !never ? <Lead lanes={strip.lanes} now={now} /> : null}
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconCalendarOff size={15} />}
              renderRoot={(props) => <Link to="/calendars" {...props} />}
            >
              {words.calendars}
            </Button>
            <CopyAs
              call={{
                cli: `stepwell schedules list${search.group ? ` --group ${search.group}` : ""}`,
                path: `/schedules/strip?from=${new Date(span.begin).toISOString()}&to=${new Date(span.end).toISOString()}`,
              }}
            />
            <RoleGate needs="operator">
              <Button
                leftSection={<IconPlus size={15} />}
                onClick={() => set({ add: words.empty.examples[0].cron }, false)}
              >
                {words.add}
              </Button>
            </RoleGate>
          </>
        }
      />
      <DowntimeBanner now={now} />
      {never ? null : selected.size > 0 ? (
        <SelectionBar
          lanes={chosen}
          total={lanes.length}
          acts={dialogs.acts}
          onAll={() => setSelected(new Set(lanes.map((one) => one.schedule_id)))}
          onClear={() => setSelected(new Set())}
        />
      ) : (
        <Toolbar
          find={search.find ?? ""}
          onFind={(find) => set({ find: find || undefined })}
          group={search.group}
          groups={groups}
          onGroup={(group) => set({ group })}
          show={search.show}
          onShow={(show) => set({ show })}
          zoom={zoom}
          onZoom={(next: Zoom) => set({ zoom: next === "21d" ? undefined : next, from: undefined })}
          follows={search.from === undefined}
          onMove={move}
          table={search.table === true}
          onTable={(table) => set({ table: table || undefined })}
        />
      )}
      <FourFaces
        loading={strip === undefined}
        error={strip === undefined ? query.error : null}
        onRetry={() => void query.refetch()}
        empty={lanes.length === 0}
        filtered={!never}
        never={{
          title: words.empty.title,
          icon: <IconCalendarTime size={26} stroke={1.4} />,
          text: words.empty.text,
          action: words.empty.examples.map((one) => (
            <RoleGate key={one.cron} needs="operator">
              <Button variant="light" onClick={() => set({ add: one.cron }, false)}>
                {one.words}
              </Button>
            </RoleGate>
          )),
        }}
        nothing={{
          title: words.nothing,
          text: words.nothingText,
          onClear: () => set({ find: undefined, group: undefined, show: undefined }),
        }}
      >
        {strip === undefined ? null : search.table ? (
          <div className="sw-panel">
            <Twin
              lanes={lanes}
              selection={{ ids: selected, onChange: setSelected }}
              current={search.schedule}
              onOpen={open}
            />
          </div>
        ) : (
          <div className={classes.strips} aria-busy={query.isPlaceholderData}>
            <HotWindows strip={strip} zone={zone} />
            <StripList
              strip={strip}
              lanes={lanes}
              now={now}
              zone={zone}
              limit={search.limit}
              onLimit={(limit) => set({ limit })}
              selected={selected}
              onSelect={setSelected}
              current={search.schedule}
              onOpen={open}
              acts={dialogs.acts}
              onFire={(lane, item) => dialogs.setFiring({ lane, item })}
              onBackfill={(lane, begin, end) => dialogs.setFilling({ lane, begin, end })}
              onZoom={zoomTo}
            />
          </div>
        )}
      </FourFaces>
      {search.schedule ? (
        <ScheduleDrawer
          key={search.schedule}
          id={search.schedule}
          lane={strip?.lanes.find((one) => one.schedule_id === search.schedule)}
          acts={dialogs.acts}
          onClose={() => set({ schedule: undefined, tab: undefined })}
        />
      ) : null}
      <ActDialog
        verb={dialogs.asked?.verb ?? null}
        lanes={dialogs.asked?.lanes ?? []}
        onClose={() => dialogs.setAsked(null)}
      />
      <ScheduleZone value={dialogs.firing?.lane.timezone ?? null}>
        <FireDialog ask={dialogs.firing} onClose={() => dialogs.setFiring(null)} />
      </ScheduleZone>
      <ScheduleZone value={dialogs.filling?.lane.timezone ?? null}>
        <BackfillDialog
          ask={dialogs.filling}
          onClose={() => dialogs.setFilling(null)}
          onBegun={(lane) => set({ schedule: lane.schedule_id, tab: "backfills" }, false)}
        />
      </ScheduleZone>
      <AddSchedule
        expression={search.add ?? null}
        workflow={search.workflow}
        quiet={strip?.quiet ?? []}
        onClose={() => set({ add: undefined, workflow: undefined })}
      />
    </>
  );
}

/** What is asked for and not yet done; nobody else's business, so not in the address. */
function useDialogs(edit: (lane: Lane) => void) {
  const [asked, setAsked] = useState<{ verb: Verb; lanes: readonly Lane[] } | null>(null);
  const [firing, setFiring] = useState<{ lane: Lane; item: Item } | null>(null);
  const [filling, setFilling] = useState<BackfillAsk | null>(null);
  const acts: ScheduleActs = {
    ask: (verb, lanes) => setAsked({ verb, lanes }),
    edit,
    backfill: (lane) => setFilling({ lane, begin: Date.now() - LENGTH["7d"], end: Date.now() }),
  };
  return { asked, setAsked, firing, setFiring, filling, setFilling, acts };
}

function Lead({ lanes, now }: { lanes: readonly Lane[]; now: number }) {
  const found = facts(lanes, now);
  const next = found.next;
  const parts = [
    words.lead.inForce(found.total),
    found.paused > 0 ? words.lead.paused(found.paused) : null,
    found.attention > 0 ? words.lead.attention(found.attention) : null,
    next?.next_due
      ? words.lead.next(placeOf(next), `in ${countdown((Date.parse(next.next_due) - now) / 1000)}`)
      : null,
  ];
  return <>{parts.filter(Boolean).join(" · ")}</>;
}
