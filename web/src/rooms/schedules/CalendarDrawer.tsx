/** One calendar: its days, and who keeps to it. */

import { ActionIcon, Button, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import { quoted } from "@/components/CopyAs";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { ReasonDialog } from "@/components/ReasonDialog";
import { RoleGate } from "@/components/RoleGate";
import { SideDrawer } from "@/components/SideDrawer";
import { announce } from "@/lib/announce";
import { schedules as words } from "@/strings/schedules";
import classes from "./Drawer.module.css";
import { calendarQuery } from "./queries";
import { dayWords } from "./zones";

export function CalendarDrawer({ name, onClose }: { name: string; onClose: () => void }) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(calendarQuery(name));
  const [removing, setRemoving] = useState(false);
  const [day, setDay] = useState("");
  const [dayName, setDayName] = useState("");
  const stale = () => void client.invalidateQueries({ queryKey: ["schedules"] });
  const change = useMutation({
    mutationFn: (body: Schemas["CalendarChange"]) =>
      ok(api.PATCH("/api/v1/calendars/{name}", { params: { path: { name } }, body })),
    onSuccess: () => {
      announce(words.calendar.saved);
      setDay("");
      setDayName("");
      stale();
    },
  });
  const today = new Date().toISOString().slice(0, 10);
  const days = Object.entries(data?.days ?? {}).sort(([a], [b]) => a.localeCompare(b));
  const coming = days.filter(([at]) => at >= today);
  return (
    <SideDrawer opened onClose={onClose} title={name}>
      {error ? <ErrorFace error={error} onRetry={() => void refetch()} /> : null}
      {data === undefined ? (
        error ? null : (
          <SkeletonRows />
        )
      ) : (
        <div className={classes.sections}>
          {data.description ? <p>{data.description}</p> : null}
          <section className={classes.section}>
            <h3>{words.calendar.coming}</h3>
            {days.length === 0 ? <p className="sw-soft">{words.calendar.noDays}</p> : null}
            <ul className={classes.days}>
              {coming.map(([at, called]) => (
                <li key={at}>
                  <time dateTime={at}>
                    {dayWords(Date.parse(`${at}T12:00:00Z`), "UTC")} {at.slice(0, 4)}
                  </time>
                  <span className="sw-soft">{called}</span>
                  <RoleGate needs="operator">
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      size={24}
                      aria-label={words.calendar.removeDay(at)}
                      onClick={() => change.mutate({ remove: [at], add: {} })}
                    >
                      <IconX size={14} />
                    </ActionIcon>
                  </RoleGate>
                </li>
              ))}
            </ul>
            {coming.length < days.length ? (
              <p className="sw-soft">{words.calendar.past(days.length - coming.length)}</p>
            ) : null}
            <form
              className={classes.add}
              onSubmit={(event) => {
                event.preventDefault();
                if (day !== "") change.mutate({ add: { [day]: dayName }, remove: [] });
              }}
            >
              <TextInput
                type="date"
                aria-label={words.calendar.day}
                value={day}
                required
                onChange={(event) => setDay(event.currentTarget.value)}
              />
              <TextInput
                aria-label={words.calendar.dayName}
                placeholder={words.calendar.dayName}
                value={dayName}
                onChange={(event) => setDayName(event.currentTarget.value)}
              />
              <RoleGate needs="operator">
                <Button
                  type="submit"
                  size="sm"
                  leftSection={<IconPlus size={14} />}
                  loading={change.isPending}
                >
                  {words.calendar.addDay}
                </Button>
              </RoleGate>
            </form>
            {change.error ? <p role="alert">{asApiError(change.error).what}</p> : null}
          </section>
          <section className={classes.section}>
            <h3>{words.calendar.usedBy}</h3>
            {data.used_by.length === 0 ? (
              <p className="sw-soft">{words.calendar.nobody}</p>
            ) : (
              data.used_by.map((one) => <p key={one}>{one}</p>)
            )}
          </section>
          <div>
            <RoleGate
              needs="operator"
              blocked={data.used_by.length > 0 ? words.calendar.removeText : null}
            >
              <Button variant="default" onClick={() => setRemoving(true)}>
                {words.calendar.remove}
              </Button>
            </RoleGate>
          </div>
          <ReasonDialog
            opened={removing}
            onClose={() => setRemoving(false)}
            title={words.calendar.removeTitle(name)}
            submit={words.calendar.remove}
            danger
            cli={(reason) => `stepwell calendars remove ${name} --reason ${quoted(reason)}`}
            onSubmit={async (reason) => {
              await ok(
                api.DELETE("/api/v1/calendars/{name}", {
                  params: { path: { name }, query: { reason } },
                }),
              );
              stale();
              onClose();
            }}
          >
            <p>{words.calendar.removeText}</p>
          </ReasonDialog>
        </div>
      )}
    </SideDrawer>
  );
}
