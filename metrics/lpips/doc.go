// Package lpips measures how different two pictures look by LPIPS v0.1 (Zhang et al., The Unreasonable Effectiveness of
// Deep Features as a Perceptual Metric, CVPR 2018): the distance between their features in a classification network,
// weighted by what people saw. 0 is equal, lower is better. Results equal those of the authors' Python package lpips
// 0.1.4 and of pyiqa. Unlike package metrics it needs libtorch.
//
//	m, err := lpips.Load(lpips.Alex, "alexnet-owt-7be5be79.pth", "LPIPS_v0.1_alex-df73285e.pth")
//	defer m.Close()
//	d, err := m.Distance(ctx, result, truth, 0)
//
// No weights come with it. The backbone is torchvision's file, the linear heads are those of the Python package;
// `pdd weights get alexnet lpips-alex` fetches both.
//
// # Pictures
//
// Pictures are read as in package metrics: alpha is ignored, gray counts as R = G = B, 16 bits keep their precision, and
// pictures of different sizes, smaller than the network can see ([Net.MinSide]), empty or with samples that are no finite
// number are errors. Nothing is resized.
//
// Memory does not grow with the picture: beyond what [WithMemory] allows it is measured in tiles that overlap by more
// than the network sees, with the same result up to rounding.
//
// # Training
//
// [Model.Forward] works on tensors and passes gradients on to them, so that LPIPS can be a loss.
package lpips
