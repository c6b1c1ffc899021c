package reproduce

import (
	"regexp"
	"slices"
	"strings"
)

// Scale is the upscaling factor of all rows.
const Scale = 4

// Dataset is where the pictures of a target domain lie below the folder of data sets, and how they are measured.
// Package data tells HR from LR in them.
type Dataset struct {
	ID, Name string
	// Train and Test are folders, the usual one first; the first that is there is taken.
	Train, Test []string
	Files       *regexp.Regexp // of file names that belong to the set; nil: all
	Crop        int            // side that LR pictures are cut to for measuring; 0: whole pictures
	Page        string         // where it comes from
	Size        string         // of its download
}

const (
	realSRPage  = "https://github.com/csjcai/RealSR (version 3)"
	drealSRPage = "https://github.com/xiezw5/Component-Divide-and-Conquer-for-Real-World-Image-Super-Resolution"
	ntirePage   = "https://data.vision.ee.ethz.ch/cvl/ntire20/ (real-world super-resolution, track 1)"
	unknownSize = "size not known"
)

// datasets are all target domains, in the order of reports.
var datasets = []Dataset{
	realSR("Canon"), realSR("Nikon"),
	drealSR("Panasonic", `(?i)panasonic|^P1\d{6}`), drealSR("Olympus", `(?i)olympus|^P[A-C3-9]\d{6}`), drealSR("Sony", `(?i)sony|^DSC\d{5}`),
	{ID: "ntire2020", Name: "NTIRE 2020 RWSR, track 1", Train: under("", "NTIRE2020", "NTIRE20"), Test: under("", "NTIRE2020", "NTIRE20"),
		Page: ntirePage, Size: unknownSize},
}

func realSR(camera string) Dataset {
	roots := []string{"RealSR", "RealSR(V3)", "RealSR_V3"}
	return Dataset{ID: "realsr-" + strings.ToLower(camera), Name: "RealSR V3, " + camera, Page: realSRPage, Size: unknownSize,
		Train: under("/"+camera+"/Train/4", roots...), Test: under("/"+camera+"/Test/4", roots...)}
}

// drealSR is the part of a camera. The file names of DRealSR tell it; files says how.
func drealSR(camera, files string) Dataset {
	return Dataset{ID: "drealsr-" + strings.ToLower(camera), Name: "DRealSR, " + camera, Page: drealSRPage, Size: unknownSize,
		Train: []string{"DRealSR/Train_x4", "DRealSR/train", "DRealSR/x4/Train_x4"},
		Test:  []string{"DRealSR/Test_x4", "DRealSR/test", "DRealSR/x4/Test_x4"},
		Files: regexp.MustCompile(files), Crop: 512}
}

func under(rest string, roots ...string) []string {
	list := slices.Clone(roots)
	for i := range list {
		list[i] += rest
	}
	return list
}

// labelled are the folders of labelled HR pictures: DF2K, or its two parts.
var labelled = struct {
	whole       string
	parts       []string
	pages, size string
}{"DF2K", []string{"DIV2K", "Flickr2K"},
	"DIV2K: https://data.vision.ee.ethz.ch/cvl/DIV2K/, Flickr2K: https://cv.snu.ac.kr/research/EDSR/Flickr2K.tar", "DIV2K's training HR 3.5 GB, Flickr2K's size not known"}
