/** Days on which schedules that name a calendar do not run. */

import { Button, TextInput } from "@mantine/core";
import { IconArrowLeft, IconCalendarOff, IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { CopyAs } from "@/components/CopyAs";
import { type Column, DataTable } from "@/components/DataTable";
import { Dialog } from "@/components/Dialog";
import { FourFaces } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { PageHeader } from "@/components/PageHeader";
import { RoleGate } from "@/components/RoleGate";
import { announce } from "@/lib/announce";
import { common } from "@/strings/common";
import { schedules as words } from "@/strings/schedules";
import { CalendarDrawer } from "./CalendarDrawer";
import classes from "./Dialogs.module.css";
import { calendarsQuery, type KeptCalendar } from "./queries";

const COLUMNS: Column<KeptCalendar>[] = [
  {
    key: "name",
    header: words.calendar.name,
    card: "head",
    width: "22%",
    sort: (one) => one.name,
    cell: (one) => <strong>{one.name}</strong>,
  },
  {
    key: "description",
    header: words.calendar.description,
    cell: (one) => one.description || <span className="sw-soft">–</span>,
  },
  {
    key: "days",
    header: words.calendar.daysKept,
    align: "end",
    width: "6rem",
    sort: (one) => Object.keys(one.days).length,
    cell: (one) => Object.keys(one.days).length,
  },
  {
    key: "timezone",
    header: words.calendar.timezone,
    width: "11rem",
    cell: (one) => one.timezone ?? <span className="sw-soft">–</span>,
  },
  {
    key: "changed",
    header: words.tabs.history,
    width: "13rem",
    sort: (one) => one.changed_at,
    cell: (one) => (
      <span className="sw-soft">
        <Instant at={one.changed_at} as="ago" />, {words.by(one.changed_by)}
      </span>
    ),
  },
];

export function CalendarsPage() {
  const { calendar } = useSearch({ from: "/shell/calendars" });
  const navigate = useNavigate({ from: "/calendars" });
  const { data, error, isPending, refetch } = useQuery(calendarsQuery);
  const [adding, setAdding] = useState(false);
  const open = (name: string | undefined) => void navigate({ search: { calendar: name } });
  const add = (
    <RoleGate needs="operator">
      <Button leftSection={<IconPlus size={15} />} onClick={() => setAdding(true)}>
        {words.calendar.add}
      </Button>
    </RoleGate>
  );
  return (
    <>
      <PageHeader
        title={words.calendar.title}
        lead={words.calendar.lead}
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconArrowLeft size={15} />}
              renderRoot={(props) => <Link to="/schedules" {...props} />}
            >
              {words.calendar.back}
            </Button>
            <CopyAs call={{ cli: "stepwell calendars list", path: "/calendars" }} />
            {add}
          </>
        }
      />
      <FourFaces
        loading={isPending}
        error={error}
        onRetry={() => void refetch()}
        empty={data?.items.length === 0}
        never={{
          title: words.calendar.none,
          text: words.calendar.noneText,
          icon: <IconCalendarOff size={26} stroke={1.4} />,
          action: add,
        }}
      >
        <DataTable
          label={words.calendar.title}
          columns={COLUMNS}
          rows={data?.items ?? []}
          rowId={(one) => one.name}
          rowName={(one) => one.name}
          onOpen={(one) => open(one.name)}
          current={calendar}
        />
      </FourFaces>
      {calendar ? (
        <CalendarDrawer key={calendar} name={calendar} onClose={() => open(undefined)} />
      ) : null}
      <AddCalendar opened={adding} onClose={() => setAdding(false)} onAdded={open} />
    </>
  );
}

function AddCalendar(props: {
  opened: boolean;
  onClose: () => void;
  onAdded: (name: string) => void;
}) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [timezone, setTimezone] = useState("");
  const [error, setError] = useState<unknown>(null);
  async function add() {
    setError(null);
    try {
      await ok(
        api.POST("/api/v1/calendars", {
          body: { name, description, timezone: timezone || null, days: {} },
        }),
      );
      announce(words.calendar.saved);
      void client.invalidateQueries({ queryKey: ["schedules"] });
      props.onClose();
      props.onAdded(name);
    } catch (thrown) {
      setError(thrown);
    }
  }
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title={words.calendar.add}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <TextInput
          label={words.calendar.name}
          description={words.form.nameHint.split(".")[0]}
          required
          pattern="[a-z][a-z0-9\-]*"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <TextInput
          label={words.calendar.description}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <TextInput
          label={words.calendar.timezone}
          description={words.calendar.timezoneHint}
          placeholder="Europe/Oslo"
          value={timezone}
          onChange={(event) => setTimezone(event.currentTarget.value)}
        />
        {error === null ? null : <p role="alert">{asApiError(error).what}</p>}
        <div className={classes.actions}>
          <Button variant="default" onClick={props.onClose}>
            {common.cancel}
          </Button>
          <Button type="submit">{words.calendar.add}</Button>
        </div>
      </form>
    </Dialog>
  );
}
