import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { live } from "@/api/live";
import { over, useOver } from "@/api/over";
import { signedIn, useMe, waysQuery } from "@/api/session";
import { Dialog } from "@/components/Dialog";
import { BASE } from "@/lib/page";
import { PasswordForm } from "@/rooms/access/PasswordForm";
import { shell } from "@/strings/shell";

const words = shell.login;

/** Before the page, which stays as it is: sign in again, here or in another tab. */
export function SessionOver() {
  const opened = useOver();
  return (
    <Dialog
      opened={opened}
      onClose={() => undefined}
      closeOnEscape={false}
      closeOnClickOutside={false}
      withCloseButton={false}
      zIndex={300}
      title={words.overTitle}
      size="sm"
    >
      {opened ? <SignInAgain /> : null}
    </Dialog>
  );
}

function SignInAgain() {
  const me = useMe();
  const { data: ways } = useQuery(waysQuery);

  useEffect(() => {
    const look = () => void goOn(me.name);
    window.addEventListener("focus", look);
    return () => window.removeEventListener("focus", look);
  }, [me.name]);

  return (
    <div className="sw-stack">
      <p className="sw-soft">{words.kept}</p>
      {ways?.password ? <PasswordForm name={me.name} onDone={() => goOn(me.name)} /> : null}
      <p className="sw-soft">
        {ways?.link ? words.link : words.elsewhere}{" "}
        {ways?.link ? null : (
          <Anchor href={`${BASE}/login`} target="_blank">
            {words.elsewhereLink}
          </Anchor>
        )}
      </p>
    </div>
  );
}

/** Goes on where it was; what one has left behind is nothing for another. */
async function goOn(before: string): Promise<void> {
  const name = await signedIn();
  if (name === null) return;
  if (name !== before) return window.location.reload();
  over.end();
  live.refresh();
}
