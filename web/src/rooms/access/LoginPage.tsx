import { Button, Divider } from "@mantine/core";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { waysQuery } from "@/api/session";
import { usePageTitle } from "@/components/PageHeader";
import { apiAddress, BASE } from "@/lib/page";
import { shell } from "@/strings/shell";
import { FirstAdmin } from "./FirstAdmin";
import { Gate } from "./Gate";
import { PasswordForm } from "./PasswordForm";

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
