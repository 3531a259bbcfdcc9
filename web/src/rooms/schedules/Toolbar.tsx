/** Filters and zoom of the strips; with rows selected, what can be done with them. */

import { ActionIcon, Button, SegmentedControl, Select, TextInput } from "@mantine/core";
import {
  IconChevronLeft,
  IconChevronRight,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerSkipForward,
  IconSearch,
  IconTable,
  IconTimeline,
} from "@tabler/icons-react";
import { RoleGate } from "@/components/RoleGate";
import { useKeys } from "@/lib/keys";
import { usePhone } from "@/lib/media";
import { useTyped } from "@/lib/typed";
import { common } from "@/strings/common";
import { schedules as words } from "@/strings/schedules";
import type { Show } from "./filters";
import { Legend } from "./Legend";
import type { Lane } from "./marks";
import type { ScheduleActs } from "./RowActs";
import { ZOOMS, type Zoom } from "./scale";
import classes from "./Toolbar.module.css";

interface Props {
  find: string;
  onFind: (find: string) => void;
  group: string | undefined;
  groups: readonly string[];
  onGroup: (group: string | undefined) => void;
  show: Show | undefined;
  onShow: (show: Show | undefined) => void;
  zoom: Zoom;
  onZoom: (zoom: Zoom) => void;
  follows: boolean;
  onMove: (by: number | null) => void;
  table: boolean;
  onTable: (table: boolean) => void;
}

export function Toolbar(props: Props) {
  const typed = useTyped(props.find, props.onFind, 0);
  useKeys({ "/": () => typed.ref.current?.focus(), t: () => props.onTable(!props.table) });
  const phone = usePhone();
  const tools = (
    <div className={classes.time}>
      {props.follows || !phone ? null : <ToNow {...props} />}
      <ActionIcon
        variant={props.table ? "light" : "default"}
        size={30}
        aria-label={props.table ? common.showPicture : common.showTable}
        title={props.table ? common.showPicture : common.showTable}
        aria-keyshortcuts="t"
        onClick={() => props.onTable(!props.table)}
      >
        {props.table ? <IconTimeline size={16} /> : <IconTable size={16} />}
      </ActionIcon>
      {props.table ? null : <Legend />}
    </div>
  );
  return (
    <div className={classes.bar}>
      <TextInput
        {...typed}
        className={classes.find}
        size="xs"
        type="search"
        aria-label={words.filter}
        placeholder={phone ? words.filterBriefly : words.filter}
        leftSection={<IconSearch size={14} />}
      />
      {phone ? tools : null}
      {props.groups.length > 1 || props.group ? (
        <Select
          size="xs"
          className={classes.group}
          aria-label={words.group}
          placeholder={words.allGroups}
          clearable
          searchable
          data={[...props.groups]}
          value={props.group ?? null}
          onChange={(group) => props.onGroup(group ?? undefined)}
        />
      ) : null}
      <OneOf
        label={words.which}
        className={classes.show}
        data={[
          { value: "", label: words.show.all },
          { value: "attention", label: words.show.attention },
          { value: "skipped", label: words.show.skipped },
          { value: "paused", label: words.show.paused },
          { value: "changed", label: words.show.changed },
        ]}
        value={props.show ?? ""}
        onChange={(show) => props.onShow(show === "" ? undefined : (show as Show))}
      />
      {phone ? null : <span className="sw-grow" />}
      <div className={classes.time}>
        <ActionIcon
          variant="default"
          size={30}
          aria-label={words.earlier}
          onClick={() => props.onMove(-1 / 3)}
        >
          <IconChevronLeft size={16} />
        </ActionIcon>
        <OneOf
          label={words.zoom}
          className={classes.zoom}
          data={ZOOMS.map((value) => ({ value, label: words.zooms[value] }))}
          value={props.zoom}
          onChange={(zoom) => props.onZoom(zoom as Zoom)}
        />
        <ActionIcon
          variant="default"
          size={30}
          aria-label={words.later}
          onClick={() => props.onMove(1 / 3)}
        >
          <IconChevronRight size={16} />
        </ActionIcon>
        {props.follows || phone ? null : <ToNow {...props} />}
      </div>
      {phone ? null : tools}
    </div>
  );
}

function ToNow({ onMove }: Pick<Props, "onMove">) {
  return (
    <Button variant="light" onClick={() => onMove(null)}>
      {words.toNow}
    </Button>
  );
}

interface OneOfProps {
  label: string;
  className: string | undefined;
  data: { value: string; label: string }[];
  value: string;
  onChange: (value: string) => void;
}

/** All words side by side; on a phone, where they would fill lines, behind the one that is set. */
function OneOf({ label, className, data, value, onChange }: OneOfProps) {
  if (!usePhone()) {
    return <SegmentedControl aria-label={label} data={data} value={value} onChange={onChange} />;
  }
  return (
    <Select
      size="xs"
      className={className}
      aria-label={label}
      allowDeselect={false}
      comboboxProps={{ width: "max-content", position: "bottom-start" }}
      data={data}
      value={value}
      onChange={(next) => next !== null && onChange(next)}
    />
  );
}

interface SelectionProps {
  lanes: readonly Lane[];
  total: number;
  acts: ScheduleActs;
  onAll: () => void;
  onClear: () => void;
}

/** Instead of the filters, as long as rows are selected. */
export function SelectionBar({ lanes, total, acts, onAll, onClear }: SelectionProps) {
  const verbs = [
    ["run", IconPlayerPlay],
    ["pause", IconPlayerPause],
    ["resume", IconPlayerPlay],
    ["skip", IconPlayerSkipForward],
  ] as const;
  return (
    <section className={classes.selection} aria-label={words.selected(lanes.length)}>
      <strong>{words.selected(lanes.length)}</strong>
      {verbs.map(([verb, Icon]) => (
        <RoleGate key={verb} needs="operator">
          <Button
            variant="default"
            leftSection={<Icon size={14} />}
            onClick={() => acts.ask(verb, lanes)}
          >
            {words.acts[verb]}
          </Button>
        </RoleGate>
      ))}
      <span className="sw-grow" />
      {lanes.length < total ? (
        <Button variant="subtle" onClick={onAll}>
          {words.selectAll(total)}
        </Button>
      ) : null}
      <Button variant="subtle" color="gray" onClick={onClear}>
        {words.clearSelection}
      </Button>
    </section>
  );
}
