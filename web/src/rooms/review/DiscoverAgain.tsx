import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { RoleGate } from "@/components/RoleGate";
import { review as words } from "@/strings/review";

/** Launch the image of a group in discover mode once more. */
export function DiscoverAgain({ group, named = false }: { group: string; named?: boolean }) {
  const cache = useQueryClient();
  const act = useMutation({
    mutationFn: () =>
      ok(
        api.POST("/api/v1/groups/{name}/discoveries", {
          params: { path: { name: group } } as never,
          body: {},
        }),
      ),
    onSuccess: () => {
      notifications.show({ message: words.discovering });
      void cache.invalidateQueries({ queryKey: ["discoveries"] });
    },
    onError: (error) => {
      notifications.show({ color: "red", message: asApiError(error).what });
    },
  });
  return (
    <RoleGate needs="operator">
      <Button
        variant="default"
        leftSection={<IconRefresh size={15} />}
        loading={act.isPending}
        onClick={() => act.mutate()}
      >
        {named ? words.discoverNamed(group) : words.discover}
      </Button>
    </RoleGate>
  );
}
