import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { shell } from "@/strings/shell";
import { Gate } from "./Gate";
import { Problem } from "./Problem";

const words = shell.first;
const SHORTEST = 12;

/** Nobody is there yet: the first account is made with the secret that the server printed. */
export function FirstAdmin({
  secret,
  onDone,
}: {
  secret: string | undefined;
  onDone: () => Promise<void>;
}) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({
    initialValues: { secret: secret ?? "", name: "", password: "", again: "" },
    validate: {
      password: (value) => (value.length < SHORTEST ? words.passwordHint : null),
      again: (value, values) => (value === values.password ? null : words.differ),
    },
  });

  async function submit(values: typeof form.values) {
    setBusy(true);
    setError(null);
    try {
      const { again: _, ...body } = values;
      await ok(api.POST("/api/v1/login/first", { body }));
      await onDone();
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
    <Gate title={words.title} lead={words.lead}>
      <form onSubmit={form.onSubmit(submit)} className="sw-stack">
        {error ? <Problem error={error} /> : null}
        <TextInput
          label={words.secret}
          description={words.secretHint}
          autoComplete="off"
          {...field("secret")}
        />
        <TextInput
          label={words.name}
          description={words.nameHint}
          autoComplete="username"
          {...field("name")}
        />
        <PasswordInput
          label={words.password}
          description={words.passwordHint}
          autoComplete="new-password"
          {...field("password")}
        />
        <PasswordInput label={words.again} autoComplete="new-password" {...field("again")} />
        <Button type="submit" size="sm" fullWidth loading={busy}>
          {words.submit}
        </Button>
      </form>
    </Gate>
  );
}
