import { Alert, Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { Dialog } from "@/components/Dialog";
import { ParameterForm } from "@/components/ParameterForm";
import { review as words } from "@/strings/review";
import type { Entry, Offer } from "./queries";
import classes from "./Review.module.css";

interface Props {
  offer: Extract<Offer, { discovery: string }>;
  entry: Entry;
  onClose: () => void;
}

/** One run of what was found, before it is decided about. */
export function TryOnce({ offer, entry, onClose }: Props) {
  const [given, setGiven] = useState<Record<string, unknown>>({});
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const navigate = useNavigate();

  async function start() {
    setBusy(true);
    setError(null);
    try {
      const run = await ok(
        api.POST("/api/v1/groups/{name}/discoveries/{discovery_id}/trials", {
          params: { path: { name: offer.group, discovery_id: offer.discovery } } as never,
          body: { workflow: entry.name, parameters: given, with_secrets: false },
        }),
      );
      notifications.show({ message: words.tried });
      await navigate({ to: "/runs/$runId", params: { runId: run.id } });
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog opened onClose={onClose} title={words.tryTitle(entry.name)} size="lg">
      <form
        className={classes.try}
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <p className="sw-soft">{words.tryLead}</p>
        <ParameterForm schema={entry.parameters} value={given} onChange={setGiven} />
        {error === null ? null : <Alert color="red">{asApiError(error).what}</Alert>}
        <div className="sw-row">
          <span className="sw-grow" />
          <Button type="submit" loading={busy}>
            {words.tryOnce}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
