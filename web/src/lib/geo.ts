/** Map projection. */

export interface Place {
  lon: number
  lat: number
}

export interface Point {
  x: number
  y: number
}

export interface Box {
  width: number
  height: number
  /** Margin at each edge. */
  padding: { top: number; right: number; bottom: number; left: number }
}

/** Kilometres of one degree of latitude. */
const KM_PER_DEGREE = 111.195

/** An equirectangular projection that fits `places` into `box`, true to scale at their middle. */
export class Projection {
  private constructor(
    private readonly west: number,
    private readonly north: number,
    private readonly stretch: number,
    private readonly scale: number,
    private readonly offset: Point,
  ) {}

  static fit(places: readonly Place[], box: Box): Projection {
    const lons = places.map(({ lon }) => lon)
    const lats = places.map(({ lat }) => lat)
    const [west, east] = [Math.min(...lons), Math.max(...lons)]
    const [south, north] = [Math.min(...lats), Math.max(...lats)]
    const stretch = Math.cos((((south + north) / 2) * Math.PI) / 180)
    const inner = {
      width: Math.max(1, box.width - box.padding.left - box.padding.right),
      height: Math.max(1, box.height - box.padding.top - box.padding.bottom),
    }
    // A single place, or places on one line, still need a scale: at least about 5 km are shown.
    const degrees = { width: Math.max((east - west) * stretch, 0.05), height: Math.max(north - south, 0.05) }
    const scale = Math.min(inner.width / degrees.width, inner.height / degrees.height)
    return new Projection(west, north, stretch, scale, {
      x: box.padding.left + (inner.width - (east - west) * stretch * scale) / 2,
      y: box.padding.top + (inner.height - (north - south) * scale) / 2,
    })
  }

  toPoint({ lon, lat }: Place): Point {
    return {
      x: this.offset.x + (lon - this.west) * this.stretch * this.scale,
      y: this.offset.y + (this.north - lat) * this.scale,
    }
  }

  /** The x of a longitude and the y of a latitude. */
  xOf(lon: number): number {
    return this.toPoint({ lon, lat: this.north }).x
  }

  yOf(lat: number): number {
    return this.toPoint({ lon: this.west, lat }).y
  }

  toPlace({ x, y }: Point): Place {
    return {
      lon: this.west + (x - this.offset.x) / (this.stretch * this.scale),
      lat: this.north - (y - this.offset.y) / this.scale,
    }
  }

  get pixelsPerKm(): number {
    return this.scale / KM_PER_DEGREE
  }
}

/** A round length for a scale bar that takes at most `maxPixels`. */
export function scaleBar(pixelsPerKm: number, maxPixels: number): { km: number; pixels: number } {
  const limit = maxPixels / pixelsPerKm
  const magnitude = 10 ** Math.floor(Math.log10(limit))
  const km = [5, 2, 1].map((step) => step * magnitude).find((step) => step <= limit) ?? magnitude
  return { km, pixels: km * pixelsPerKm }
}
