/** How a kiosk opens and judges its camera, as the camera's profile says. */

export interface CameraHow {
  readonly camera: {
    readonly label: string;
    readonly width: number;
    readonly height: number;
    readonly mirror: boolean;
  };
  readonly compare: { readonly match: number; readonly differ: number };
  readonly guidance: {
    readonly nearest: number;
    readonly farthest: number;
    readonly darkest: number;
    readonly look_s: number;
    readonly challenges: readonly ('turn' | 'blink')[];
    readonly challenge_s: number;
  };
}

/** Rejects when the hall does not know the profile or cannot be reached. */
export async function fetchHow(profile: string): Promise<CameraHow> {
  const answer = await fetch(`/cameras/${encodeURIComponent(profile)}`);
  if (!answer.ok) throw new Error(`no profile ${profile}: ${answer.status}`);
  return (await answer.json()) as CameraHow;
}
