/** Three things to know before the first decision; the checklist of Home leads here. */

import { Tour } from "@mantine/core";
import { review as words } from "@/strings/review";

interface Props {
  active: boolean;
  onClose: () => void;
}

export function FirstTour({ active, onClose }: Props) {
  return (
    <Tour active={active} onClose={onClose} labels={words.tour.labels} closeOnOverlayClick>
      <Tour.Step target="[data-tour=changes]" title={words.tour.changes.title}>
        {words.tour.changes.text}
      </Tour.Step>
      <Tour.Step target="[data-tour=effects]" title={words.tour.effects.title}>
        {words.tour.effects.text}
      </Tour.Step>
      <Tour.Step target="[data-tour=apply]" title={words.tour.apply.title} position="top">
        {words.tour.apply.text}
      </Tour.Step>
    </Tour>
  );
}
