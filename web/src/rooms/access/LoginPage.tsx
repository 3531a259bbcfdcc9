import { Button, Divider, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { waysQuery } from "@/api/session";
import { usePageTitle } from "@/components/PageHeader";
import { apiAddress, BASE } from "@/lib/page";
import { shell } from "@/strings/shell";
import { FirstAdmin } from "./FirstAdmin";
import { Gate } from "./Gate";
import { Problem } from "./Problem";

const words = shell.login;

/** Only a path of this server: a link must not lead elsewhere after the login. */
export function safeNext(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\") ? next : "/";
}

export function LoginPage() {
  const { data: ways } = useSuspenseQuery(waysQuery);
  const { next, setup } = useSearch({ from: "/login" });
  const client = useQueryClient();
  const navigate = useNavigate();
  usePageTitle(ways.setup ? shell.first.title : words.title);

  async function enter() {
    client.clear();
    await navigate({ href: safeNext(next), replace: true });
  }

  if (ways.setup) return <FirstAdmin secret={setup} onDone={enter} />;
  return (
    <Gate title={words.title} lead={words.lead}>
      {next ? <p className="sw-soft">{words.over}</p> : null}
      {ways.password ? <PasswordForm onDone={enter} /> : null}
      {ways.oidc ? (
        <>
          {ways.password ? <Divider label={words.or} my="md" /> : null}
          <Button
            component="a"
            variant="default"
            size="sm"
            fullWidth
            href={`${apiAddress("/login/oidc")}?next=${encodeURIComponent(BASE + safeNext(next))}`}
          >
            {words.with(ways.oidc)}
          </Button>
        </>
      ) : null}
      {ways.link ? <p className="sw-soft">{words.link}</p> : null}
      <p className="sw-soft">
        {words.forgotten}
        <br />
        {words.token}
      </p>
    </Gate>
  );
}

function PasswordForm({ onDone }: { onDone: () => Promise<void> }) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({ mode: "uncontrolled", initialValues: { name: "", password: "" } });

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
        autoFocus
        key={form.key("name")}
        {...form.getInputProps("name")}
      />
      <PasswordInput
        label={words.password}
        autoComplete="current-password"
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
