/** The checkpoints that are known, found by any of their names. */
import type { Checkpoint } from '@/api/types'

export interface Located extends Checkpoint {
  lon: number
  lat: number
}

export class Catalogue {
  private readonly byName = new Map<string, Checkpoint>()

  constructor(readonly checkpoints: readonly Checkpoint[]) {
    // What comes later does not take a name away: codes before full names before labels.
    for (const key of ['label', 'kkmc', 'code'] as const) {
      for (const checkpoint of checkpoints) this.byName.set(checkpoint[key], checkpoint)
    }
  }

  find(kkmc: string): Checkpoint | undefined {
    return this.byName.get(kkmc)
  }

  /** Short name; the name as it is recorded where the checkpoint is not known. */
  label(kkmc: string): string {
    return this.find(kkmc)?.label ?? kkmc
  }

  /** The checkpoint, if it is known where it stands. */
  locate(kkmc: string): Located | undefined {
    const found = this.find(kkmc)
    return found && isLocated(found) ? found : undefined
  }

  get located(): Located[] {
    return this.checkpoints.filter(isLocated)
  }
}

/** A line between two checkpoints: along one road, or merely because they are near. */
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
