import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, ok } from "@/api/client";
import { usePageTitle } from "@/components/PageHeader";
import { shell } from "@/strings/shell";
import { Gate } from "./Gate";
import { Problem } from "./Problem";

const words = shell.password;
const SHORTEST = 12;
const START = /^#?(swl_[\w-]+)$/;

/** The secret of a one-time link: what stands behind the `#`, which no server has seen. */
export function secretOf(hash: string): string {
  return START.exec(hash)?.[1] ?? "";
}

/** Who has a one-time link sets a password here; nobody has to be signed in. */
export function PasswordPage() {
  const [secret] = useState(() => secretOf(window.location.hash));
  const [done, setDone] = useState(false);
  usePageTitle(words.title);
  useEffect(() => {
    // Not in the history, nor in a copied address: it would let anybody in.
    if (secret !== "")
      window.history.replaceState(window.history.state, "", window.location.pathname);
  }, [secret]);
  if (done) {
    return (
      <Gate title={words.done} lead={words.doneLead}>
        <Button
          size="sm"
          fullWidth
          renderRoot={(props: object) => <Link {...props} to="/login" search={{}} />}
        >
          {words.toLogin}
        </Button>
      </Gate>
    );
  }
  return (
    <Gate title={words.title} lead={words.lead}>
      <PasswordForm secret={secret} onDone={() => setDone(true)} />
    </Gate>
  );
}

function PasswordForm({ secret, onDone }: { secret: string; onDone: () => void }) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const cache = useQueryClient();
  const form = useForm({
    initialValues: { secret, password: "", again: "" },
    validate: {
      password: (value) => (value.length < SHORTEST ? words.passwordHint : null),
      again: (value, values) => (value === values.password ? null : words.differ),
    },
  });

  async function submit(values: typeof form.values) {
    setBusy(true);
    setError(null);
    try {
      const body = { secret: secretOf(values.secret.trim()) || values.secret.trim() };
      await ok(
        api.POST("/api/v1/password-resets", { body: { ...body, password: values.password } }),
      );
      cache.clear();
      onDone();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  }

  const field = (name: keyof typeof form.values) => ({
    required: true,
    withAsterisk: false,
    size: "sm" as const,
    ...form.getInputProps(name),
  });
  return (
    <form onSubmit={form.onSubmit(submit)} className="sw-stack">
      {error ? <Problem error={error} /> : null}
      {secret === "" ? (
        <TextInput
          label={words.secret}
          description={words.secretHint}
          autoComplete="off"
          {...field("secret")}
        />
      ) : null}
      <PasswordInput
        label={words.password}
        description={words.passwordHint}
        autoComplete="new-password"
        autoFocus={secret !== ""}
        {...field("password")}
      />
      <PasswordInput label={words.again} autoComplete="new-password" {...field("again")} />
      <Button type="submit" size="sm" fullWidth loading={busy}>
        {words.submit}
      </Button>
    </form>
  );
}
