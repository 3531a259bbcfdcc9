import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { shell } from "@/strings/shell";
import { Problem } from "./Problem";

const words = shell.login;

interface Props {
  /** Who it is most likely. */
  name?: string;
  onDone: () => Promise<void>;
}

export function PasswordForm({ name = "", onDone }: Props) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({ mode: "uncontrolled", initialValues: { name, password: "" } });

  async function submit(body: { name: string; password: string }) {
    setBusy(true);
    setError(null);
    try {
      await ok(api.POST("/api/v1/login", { body }));
      await onDone();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={form.onSubmit(submit)} className="sw-stack">
      {error ? <Problem error={error} /> : null}
      <TextInput
        label={words.name}
        autoComplete="username"
        required
        withAsterisk={false}
        autoFocus={name === ""}
        key={form.key("name")}
        {...form.getInputProps("name")}
      />
      <PasswordInput
        label={words.password}
        autoComplete="current-password"
        autoFocus={name !== ""}
        data-autofocus={name === "" ? undefined : true}
        required
        withAsterisk={false}
        size="sm"
        key={form.key("password")}
        {...form.getInputProps("password")}
      />
      <Button type="submit" size="sm" fullWidth loading={busy}>
        {words.submit}
      </Button>
    </form>
  );
}
