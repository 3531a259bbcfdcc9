import { Alert, Button, Textarea } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import { asApiError } from "@/api/error";
import { useFocusKept } from "@/lib/focus";
import { common } from "@/strings/common";
import { CodeBlock } from "./CodeBlock";
import { CopyAct } from "./CopyAs";
import { Dialog } from "./Dialog";
import classes from "./ReasonDialog.module.css";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** The act itself: "Cancel 37 runs". */
  submit: string;
  danger?: boolean;
  /** What will happen, in a sentence. */
  children?: ReactNode;
  /** What it is done to: the query, word for word. */
  query?: string;
  /** How many in all, as shown, and the first five. */
  sample?: { total: ReactNode; items: { id: string; content: ReactNode }[] };
  cli: (reason: string) => string;
  /** What becomes of the reason, where it is not the audit log. */
  hint?: string;
  /** A reason may be left out of an act on one thing. */
  optional?: boolean;
  /** Something that has to be loaded or chosen before. */
  ready?: boolean;
  /** `false`: not done yet, and the dialog itself says why. */
  onSubmit: (reason: string) => Promise<unknown>;
}

/** Before what is wide or cannot be undone: the count, the query, five of them, and why. */
export function ReasonDialog(props: Props) {
  const { opened, onClose, title, submit, danger = false, ready = true } = props;
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const submitting = useFocusKept(busy);
  const [error, setError] = useState<unknown>(null);
  const form = useRef<HTMLFormElement>(null);
  const lacking = !props.optional && reason.trim() === "";

  async function act() {
    setBusy(true);
    setError(null);
    try {
      if ((await props.onSubmit(reason.trim())) === false) return;
      setReason("");
      onClose();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  }

  /** What it would send, unless a field holds what cannot be sent: that field is shown then. */
  async function shown() {
    const bad = form.current?.querySelector<HTMLInputElement>("input:invalid");
    if (bad && !bad.reportValidity()) throw new Error(bad.validationMessage);
    return props.onSubmit(said);
  }

  const problem = error === null ? null : asApiError(error);
  const said = reason.trim() || (props.optional ? "" : "…");
  return (
    <Dialog opened={opened} onClose={onClose} title={title} size="lg">
      <form
        ref={form}
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (!lacking && ready && !busy) void act();
        }}
      >
        {props.children}
        {props.query === undefined ? null : (
          <code className={classes.query}>{props.query || "(all)"}</code>
        )}
        {props.sample && props.sample.items.length > 0 ? (
          <div className={classes.sample}>
            <div className="sw-label">{props.sample.total}</div>
            <ul>
              {props.sample.items.map((one) => (
                <li key={one.id}>{one.content}</li>
              ))}
            </ul>
          </div>
        ) : null}
        <Textarea
          label={common.reason}
          description={props.hint ?? common.reasonHint}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          required={!props.optional}
          maxLength={1000}
          autosize
          minRows={2}
          data-autofocus
        />
        <div>
          <div className="sw-row sw-between">
            <span className="sw-label">{common.sameCommand}</span>
            <CopyAct act={shown} disabled={!ready} />
          </div>
          <CodeBlock label={common.sameCommand} wrap short>
            {props.cli(said)}
          </CodeBlock>
        </div>
        {problem ? (
          <Alert color="red" role="alert" title={problem.what}>
            {problem.why} {problem.fix}
          </Alert>
        ) : null}
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            {common.close}
          </Button>
          <Button
            ref={submitting}
            type="submit"
            color={danger ? "red" : undefined}
            loading={busy}
            disabled={lacking || !ready}
            title={lacking ? common.reasonNeeded : undefined}
          >
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
