/** The known checkpoints, found by any of their names. */
import type { Checkpoint } from '@/api/types'

export interface Located extends Checkpoint {
  lon: number
  lat: number
}

export class Catalogue {
  private readonly byName = new Map<string, Checkpoint>()

  constructor(readonly checkpoints: readonly Checkpoint[]) {
    // Codes take precedence over full names, and those over labels.
    for (const key of ['label', 'kkmc', 'code'] as const) {
      for (const checkpoint of checkpoints) this.byName.set(checkpoint[key], checkpoint)
    }
  }

  find(kkmc: string): Checkpoint | undefined {
    return this.byName.get(kkmc)
  }

  /** Short name; the recorded name if the checkpoint is unknown. */
  label(kkmc: string): string {
    return this.find(kkmc)?.label ?? kkmc
  }

  /** The checkpoint, if its coordinates are known. */
  locate(kkmc: string): Located | undefined {
    const found = this.find(kkmc)
    return found && isLocated(found) ? found : undefined
  }

  get located(): Located[] {
    return this.checkpoints.filter(isLocated)
  }
}

/** A line between two checkpoints: along a road, or because they are near each other. */
export interface Road {
  from: Located
  to: Located
  near: boolean
}

/** The lines between neighbours, each once. */
export function roadsBetween(checkpoints: readonly Located[]): Road[] {
  const byCode = new Map(checkpoints.map((checkpoint) => [checkpoint.code, checkpoint]))
  return checkpoints.flatMap((from) =>
    from.neighbours.flatMap(({ code, link }) => {
      const to = byCode.get(code)
      return to && from.code < code ? [{ from, to, near: link !== 'road' }] : []
    }),
  )
}

function isLocated(checkpoint: Checkpoint): checkpoint is Located {
  return checkpoint.lon != null && checkpoint.lat != null
}
