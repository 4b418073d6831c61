package ociimage

// What an archive may cost whoever opens it. All are far above what a sidecar's
// image needs, and far below what hurts a laptop.
const (
	maxArchiveEntries  = 10_000    // files in the archive itself: blobs and documents
	maxDocument        = 4 << 20   // bytes of an index, a manifest or a configuration
	maxIndexDepth      = 4         // indexes within indexes
	maxManifests       = 1_000     // manifests looked at
	maxLayers          = 512       // of one image
	maxExtractedBytes  = 4 << 30   // of all files of all layers
	maxExtractedFiles  = 250_000   // and directories, of all layers
	maxPathBytes       = 2048      // of a path, or of where a link leads
	maxPathDepth       = 128       // directories in a path
	maxZstdWindowBytes = 128 << 20 // memory a zstd layer may ask for
)
